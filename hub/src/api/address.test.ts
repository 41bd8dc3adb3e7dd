import type { NetworkInterfaceInfo } from 'node:os';
import { expect, test } from 'vitest';
import { addressOf, machineAddress } from './address.ts';

const at = (address: string, internal = false) =>
  ({ address, internal, family: address.includes(':') ? 'IPv6' : 'IPv4' }) as NetworkInterfaceInfo;
const lo = [at('127.0.0.1', true), at('::1', true)];

test.each([
  ['the first that is not internal', { lo, eth0: [at('10.0.0.5')], eth1: [at('10.0.0.6')] }, '10.0.0.5'],
  ['IPv4 before IPv6', { lo, eth0: [at('fd00::5'), at('10.0.0.5')] }, '10.0.0.5'],
  ['IPv6 where there is no other, but none of the link alone', { lo, eth0: [at('fe80::1'), at('fd00::5')] }, 'fd00::5'],
  ['loopback on a machine without a network', { lo }, '127.0.0.1'],
])('the address of a machine is %s', (_what, interfaces, address) => {
  expect(machineAddress(interfaces)).toBe(address);
});

test.each([
  ['nothing is published', {}, undefined],
  ['the shipped ConfigMap is empty', { data: {} }, undefined],
  ['an authority comes along', { data: { url: 'https://a', 'ca.crt': 'PEM' } }, { url: 'https://a', ca: 'PEM' }],
  ['clients trust it anyway', { data: { url: 'https://a', 'ca.crt': '' } }, { url: 'https://a' }],
])('what clients read when %s', (_when, parts, address) => {
  expect(addressOf({ metadata: { name: 'kmm-hub-api' }, ...parts })).toEqual(address);
});
