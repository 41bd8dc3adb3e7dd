import { expect, test } from 'vitest';
import { modprobeError } from './kmod-errors.ts';

/** kmod's words (30, Debian 12) with strerror's in the C locale. */
const insert = (reason: string) => `modprobe: ERROR: could not insert 'hello': ${reason}`;
const [EPERM, ENOKEY] = [insert('Operation not permitted'), insert('Required key not available')];
const EKEYREJECTED = insert('Key was rejected by service');
const LOCKDOWN = 'Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7';
const LOCKDOWN_4_19 = 'Lockdown: Loading of unsigned modules is restricted; see https://wiki.debian.org/SecureBoot';
const PARAMETER = 'Lockdown: modprobe: unsafe module parameters is restricted; see man kernel_lockdown.7';
const ENFORCED = 'Loading of unsigned module is rejected';
const TAINT = 'hello: module verification failed: signature and/or required key missing - tainting kernel';

type Told = { words: string; kernel?: string[] };

test.each<[string, Told, string]>([
  ['ENOKEY', { words: ENOKEY, kernel: [] }, 'ModuleSignatureRejected'],
  ['EKEYREJECTED', { words: EKEYREJECTED, kernel: [] }, 'ModuleSignatureRejected'],
  ['EKEYREJECTED by module.sig_enforce', { words: EKEYREJECTED, kernel: [ENFORCED] }, 'ModuleSignatureRejected'],
  ['EPERM under lockdown', { words: EPERM, kernel: [LOCKDOWN] }, 'ModuleSignatureRejected'],
  ['EPERM under the lockdown of 4.19', { words: EPERM, kernel: [LOCKDOWN_4_19] }, 'ModuleSignatureRejected'],
  ['EPERM with a signature enforced', { words: EPERM, kernel: [ENFORCED] }, 'ModuleSignatureRejected'],
  ['EPERM of which nobody can read the reason', { words: EPERM }, 'ModuleSignatureRejected'],
  ['EPERM without a word of the kernel', { words: EPERM, kernel: [] }, 'ModuleNotPermitted'],
  ['EPERM for a parameter', { words: EPERM, kernel: [PARAMETER] }, 'ModuleNotPermitted'],
  [
    'EPERM of an unsigned module that the kernel took, but tainted',
    { words: EPERM, kernel: [TAINT] },
    'ModuleNotPermitted',
  ],
  ['EPERM of an unload', { words: EPERM.replace('insert', 'remove') }, 'ModuleNotPermitted'],
  [
    'ENOENT',
    { words: insert('Unknown symbol in module, or unknown parameter (see dmesg)'), kernel: [] },
    'ModuleUnknownSymbol',
  ],
  ['ENOEXEC', { words: insert('Exec format error'), kernel: [] }, 'ModuleFormatRefused'],
  ['EEXIST', { words: insert('Module already in kernel'), kernel: [] }, 'ModuleAlreadyLoaded'],
  ['ENODEV', { words: insert('No such device'), kernel: [TAINT] }, 'ModprobeFailed'],
])('%s has its reason, and the words of modprobe and kernel', (_errno, { words, kernel }, code) => {
  const message = [words, ...(kernel ?? []).map((line) => `kernel: ${line}`)].join('; ');
  expect(modprobeError(words, kernel)).toMatchObject({ code, message });
});
