import { BlockList, isIP } from 'node:net';

/** Addresses where this machine, or the metadata service of its cloud, answers; both trust whoever can reach them. */
const local = new BlockList();
local.addSubnet('0.0.0.0', 8, 'ipv4');
local.addSubnet('127.0.0.0', 8, 'ipv4');
local.addSubnet('169.254.0.0', 16, 'ipv4');
local.addAddress('::', 'ipv6');
local.addAddress('::1', 'ipv6');
local.addSubnet('fe80::', 10, 'ipv6');
local.addAddress('fd00:ec2::254', 'ipv6'); // metadata of AWS, which has no link-local address for it in IPv6

/** True for IP addresses (IPv4-mapped ones too) of loopback, link-local and metadata services; false for names. */
export function isLocalAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && local.check(address, family === 6 ? 'ipv6' : 'ipv4');
}
