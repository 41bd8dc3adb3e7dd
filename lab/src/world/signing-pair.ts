import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../host/command.ts';
import type { WorldContext } from './hub-world.ts';

/** Files: the private key as PEM, its certificate as DER; what the Secrets of spec…sign hold. */
export type SigningPair = { signer: string; key: string; certificate: string };

/** Makes a key and its certificate as examples/hello-kmod/README.md says. `signer` is the name that modinfo shows. */
export async function makeSigningPair(
  signer: string,
  { folder, signal }: Pick<WorldContext, 'folder' | 'signal'>,
): Promise<SigningPair> {
  const place = join(folder, 'signing');
  await mkdir(place, { recursive: true, mode: 0o700 });
  const [key, certificate] = [join(place, 'key.pem'), join(place, 'cert.der')];
  const request = ['req', '-x509', '-new', '-nodes', '-utf8', '-sha256', '-days', '36500', '-newkey', 'rsa:2048'];
  const subject = ['-subj', `/CN=${signer}`, '-keyout', key, '-outform', 'DER', '-out', certificate];
  await runCommand('openssl', [...request, ...subject], { signal });
  return { signer, key, certificate };
}
