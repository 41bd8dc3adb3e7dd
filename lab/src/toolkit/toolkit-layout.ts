import { createHash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../host/command.ts';
import { cachedEntry } from '../nodes/cached-entry.ts';
import type { Kernel } from '../nodes/kernels.ts';
import { debianSources } from './debian-sources.ts';
import { writeLayout } from './oci-layout.ts';

export type ToolkitLayoutOptions = {
  kernel: Kernel;
  cacheFolder: string;
  signal: AbortSignal;
  progress: (line: string) => void;
};

const INCLUDE = ['busybox-static', 'gcc', 'kmod', 'make'];
/** A third of what would be installed, and nothing that the build of a kernel module reads. */
const LEFT_OUT = [
  ...['doc', 'man', 'locale', 'info', 'lintian', 'bash-completion'].map((name) => `/usr/share/${name}/*`),
  ...['/usr/bin/*lto-dump*', '/usr/bin/*-ld.gold', '/usr/lib/gcc/*/*/lto1', '/usr/lib/gcc/*/*/*san*.a'],
  ...['/usr/lib/*/lib*san.so*', '/usr/lib/*/*.a'],
  // newer headers depend on their kernel, which is not started here
  ...['/boot/*', '/lib/modules/*/kernel/*', '/usr/lib/modules/*/kernel/*', '/usr/lib/udev/*', '/lib/udev/*'],
];
const BOOTSTRAP_LIMIT_MS = 300_000;

/** The folder of the toolkit's OCI image layout in the cache; made when it is not there, in about half a minute. */
export async function toolkitLayout({ kernel, cacheFolder, signal, progress }: ToolkitLayoutOptions): Promise<string> {
  const recipe = createHash('sha256'); // a changed recipe is another image
  for (const file of ['toolkit-layout.ts', 'oci-layout.ts'])
    recipe.update(await readFile(join(import.meta.dirname, file)));
  const key = recipe.update(kernel.packageVersion).digest('hex').slice(0, 16);
  return cachedEntry(join(cacheFolder, 'toolkits', `${kernel.release}-${key}`), async (folder) => {
    progress(`making the toolkit image for ${kernel.release}, once`);
    const rootfsTar = `${folder}.tar`;
    try {
      await mkdir(folder, { recursive: true });
      const architecture = await runCommand('dpkg', ['--print-architecture'], { signal });
      await bootstrap(kernel, rootfsTar, signal);
      await writeLayout({ rootfsTar, folder, architecture, signal });
    } finally {
      await rm(rootfsTar, { force: true });
    }
  });
}

/** The hook runs in the finished root: without a working compiler and the headers there is no image. */
async function bootstrap(kernel: Kernel, rootfsTar: string, signal: AbortSignal): Promise<void> {
  const { suite, sources } = await debianSources(signal);
  const include = [...INCLUDE, `linux-headers-${kernel.release}`].join(',');
  const options = [
    ...['--variant=apt', `--include=${include}`, '--aptopt=Apt::Install-Recommends "false"'],
    ...LEFT_OUT.map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
    `--customize-hook=chroot "$1" sh -ec 'gcc --version; test -f /lib/modules/${kernel.release}/build/Makefile'`,
  ];
  // No time of day in the tar; and no initramfs (initramfs-tools' hook for kernels, /etc/kernel/postinst.d).
  const env = { SOURCE_DATE_EPOCH: '1', INITRD: 'No' };
  await runCommand('mmdebstrap', ['--quiet', ...options, suite, rootfsTar, ...sources], {
    signal,
    env,
    timeoutMs: BOOTSTRAP_LIMIT_MS,
  });
}
