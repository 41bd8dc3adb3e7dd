import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { RegistryRefusedError } from './errors.ts';
import { isLocalAddress } from './local-address.ts';
import { isThisMachine } from './reference.ts';

/**
 * What a server names (redirect, upload session, token server) must not lead us to weaker transport, or to services that
 * only trust this machine. Throws RegistryRefusedError.
 */
export function requireSafeTarget(from: URL, target: URL, isPlain: (host: string) => boolean): void {
  if (!/^https?:$/.test(target.protocol)) {
    throw new RegistryRefusedError(`${from.host} leads to something that is not HTTP`);
  }
  if (target.protocol === 'http:' && from.protocol === 'https:' && !isPlain(target.host)) {
    throw new RegistryRefusedError(`${from.host} leads from https to plain http`);
  }
  if (isThisMachine(target.host) && !isThisMachine(from.host)) {
    throw new RegistryRefusedError(`${from.host} leads to a service of this machine`);
  }
}

/** Like `lookup`, but a name that resolves to a local address ends in RegistryRefusedError. */
export function guardedLookup(lookup: LookupFunction = systemLookup): LookupFunction {
  return (hostname, options, callback) =>
    lookup(hostname, options, (error, found, family) => {
      const addresses = Array.isArray(found) ? found.map(({ address }) => address) : [found];
      const refused = error === null && addresses.some(isLocalAddress);
      callback(refused ? new RegistryRefusedError(`${hostname} is a service of this machine`) : error, found, family);
    });
}
