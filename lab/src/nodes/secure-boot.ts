import { copyFile, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { MissingToolError } from '@kmm-hub/api-types';
import { runCommand } from '../host/command.ts';
import { virtFwVars } from '../host/config.ts';
import { cachedEntry, exists } from './cached-entry.ts';
import type { Firmware } from './machine.ts';
import { findProgram } from './program.ts';

/** What a node with UEFI Secure Boot is started with. */
export type SecureBootOptions = {
  /** The node's own; the firmware's variables stay in it over restarts. */
  folder: string;
  /** Files, PEM or DER, enrolled in the firmware's db: Debian's kernel trusts modules that their keys have signed. */
  trustedCertificates: readonly string[];
  vmlinuz: string;
  signal: AbortSignal;
};

/** Debian's package ovmf: the build of edk2 that has Secure Boot, and its variables before any key was enrolled. */
const OVMF = '/usr/share/OVMF';
const CODE = 'OVMF_CODE_4M.secboot.fd';
const EMPTY_VARS = 'OVMF_VARS_4M.fd';
/** Owner of the lab's entries in the signature lists (UEFI specification, EFI_SIGNATURE_DATA); any UUID does. */
const OWNER = '6e1f0f5c-3b1c-4b0e-9a70-4b4d4d485542';

/**
 * Firmware with Secure Boot on, and the kernel signed by the machine's owner as on a real machine (Debian 12's OVMF would
 * start a kernel handed over by QEMU without a signature too, newer ones would not). The owner's key is made once for each
 * node: platform key, key exchange key, and the db entry that the kernel's signature is checked against.
 * Throws MissingToolError, CommandFailedError.
 */
export async function secureBoot(options: SecureBootOptions): Promise<{ firmware: Firmware; vmlinuz: string }> {
  const { folder, vmlinuz, signal } = options;
  const code = join(OVMF, CODE);
  if (!(await exists(code))) throw new MissingToolError(CODE, 'Run `npm run setup`, which installs the package ovmf.');
  const owner = await ownerKey(folder, signal);
  const vars = await cachedEntry(join(folder, 'firmware-vars.fd'), (file) => enrol(file, owner, options));
  const signed = await cachedEntry(join(folder, `${basename(vmlinuz)}.signed`), async (file) => {
    const signer = ['--key', owner.key, '--cert', owner.certificate];
    await runCommand(findProgram('sbsign'), [...signer, '--output', file, vmlinuz], { signal });
  });
  return { firmware: { code, vars }, vmlinuz: signed };
}

type Owner = { key: string; certificate: string };

async function ownerKey(folder: string, signal: AbortSignal): Promise<Owner> {
  const place = await cachedEntry(join(folder, 'firmware-owner'), async (temporary) => {
    await mkdir(temporary, { mode: 0o700 });
    const { key, certificate } = ownerIn(temporary);
    const request = ['req', '-x509', '-new', '-nodes', '-sha256', '-days', '36500', '-newkey', 'rsa:2048'];
    const subject = ['-subj', '/CN=owner of the machine', '-keyout', key, '-out', certificate];
    await runCommand('openssl', [...request, ...subject], { signal });
  });
  return ownerIn(place);
}

function ownerIn(folder: string): Owner {
  return { key: join(folder, 'key.pem'), certificate: join(folder, 'certificate.pem') };
}

async function enrol(
  vars: string,
  { certificate }: Owner,
  { trustedCertificates, signal }: SecureBootOptions,
): Promise<void> {
  await copyFile(join(OVMF, EMPTY_VARS), vars);
  const entries = [certificate, ...trustedCertificates].flatMap((file) => ['--add-db', OWNER, file]);
  const owner = ['--set-pk', OWNER, certificate, '--add-kek', OWNER, certificate];
  await runCommand(virtFwVars(), ['--inplace', vars, ...owner, ...entries, '--secure-boot'], { signal });
}
