import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { type FeatureSource, present, type RawFeatures } from './feature-source.ts';
import { type HostRoot, hostRootDefaults } from './host-root.ts';
import type { FeatureOptions } from './options.ts';

/** `_` stands for the `+` of "6.12.95+deb12-amd64". Upstream takes `-` only, and so finds no parts in such a version. */
const VERSION = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[-_].*)?$/s;
const UPSTREAM_VERSION = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-.*)?$/s;

/**
 * Kernel facts: `kernel.version`, `kernel.config`, `kernel.loadedmodule`, `kernel.enabledmodule`, `kernel.selinux`,
 * `kernel.kvm`. No /proc/modules means a kernel without loadable modules: a fact, not an error.
 */
export const kernelSource: FeatureSource = {
  name: 'kernel',
  async discover(host, options) {
    const release = (await host.read('proc/sys/kernel/osrelease')).trim(); // e.g. "6.1.0-53-amd64"
    const [loaded, builtin] = [await loadedModules(host), await builtinModules(host, release)];
    const enabled = builtin === undefined && options.upstreamDefects ? undefined : [...loaded, ...(builtin ?? [])];
    return {
      flags: {
        'kernel.loadedmodule': loaded,
        ...(enabled && { 'kernel.enabledmodule': [...new Set(enabled)] }),
      },
      attributes: {
        'kernel.version': versionOf(release, options),
        'kernel.kvm': { enabled: String(await host.exists('sys/devices/virtual/misc/kvm')) },
        ...(await kernelConfig(host, release, options)),
        ...(await selinux(host)),
      },
    };
  },
  labels({ attributes = {} }, { kernel: { configOpts } }) {
    const config = attributes['kernel.config'] ?? {};
    const labels: Record<string, string> = {};
    for (const [part, value] of Object.entries(attributes['kernel.version'] ?? {})) labels[`version.${part}`] = value;
    for (const option of configOpts) {
      const value = config[option];
      if (value !== undefined) labels[`config.${option}`] = value === 'y' || value === 'm' ? 'true' : value;
    }
    if (attributes['kernel.selinux']?.enabled === 'true') labels['selinux.enabled'] = 'true';
    return labels;
  },
};

/** `full` fit for a label; the parts only when it reads as a version, missing ones as ''. */
function versionOf(release: string, { upstreamDefects }: FeatureOptions): Record<string, string> {
  const full = release.replaceAll(/[^-A-Za-z0-9_.]/gu, '_').replace(/^[-_.]+|[-_.]+$/g, '');
  const parts = (upstreamDefects ? UPSTREAM_VERSION : VERSION).exec(full);
  if (parts === null) return { full };
  const [, major = '', minor = '', revision = ''] = parts;
  return { full, major, minor, revision };
}

async function loadedModules(host: HostRoot): Promise<string[]> {
  const lines = ((await host.readValue('proc/modules')) ?? '').split('\n');
  return lines.map((line) => line.split(' ', 1)[0] ?? '').filter(Boolean);
}

/** Names as the files are spelled, `i2c-core`, while /proc/modules has `i2c_core`: rules rely on both. */
async function builtinModules(host: HostRoot, release: string): Promise<string[] | undefined> {
  const text = await host.readValue(`lib/modules/${release}/modules.builtin`);
  return text?.split('\n').flatMap((line) => /([^/]+)\.ko$/.exec(line.trim())?.[1] ?? []);
}

/** SELinux is on when it enforces. Without sys/fs nothing can be said. */
async function selinux(host: HostRoot): Promise<RawFeatures['attributes']> {
  if (!(await host.exists('sys/fs'))) return {};
  const enforce = (await host.readValue('sys/fs/selinux/enforce')) ?? '';
  return { 'kernel.selinux': { enabled: String(enforce.startsWith('1')) } };
}

/** The first readable of the places where distributions keep the kernel's configuration; none → no set. */
async function kernelConfig(
  host: HostRoot,
  release: string,
  { kernel: { kconfigFile } }: FeatureOptions,
): Promise<RawFeatures['attributes']> {
  const places = [
    'proc/config.gz',
    `usr/src/linux-${release}/.config`,
    `usr/src/linux-rt-${release}/.config`,
    'usr/src/linux/.config',
    `usr/lib/modules/${release}/config`,
    `usr/lib/ostree-boot/config-${release}`,
    `usr/lib/kernel/config-${release}`,
    `usr/src/linux-headers-${release}/.config`,
    `lib/modules/${release}/build/.config`,
    `usr/src/linux-rt-headers-${release}/.config`,
    `boot/config-${release}`,
  ];
  for (const place of kconfigFile === '' ? places : [kconfigFile, ...places]) {
    const text = await readConfig(host, place);
    if (text !== undefined) return { 'kernel.config': parseConfig(text) };
  }
  return {};
}

async function readConfig(host: HostRoot, path: string): Promise<string | undefined> {
  if (!(await host.exists(path))) return undefined;
  const bytes = await host.readBytes(path);
  if (!path.endsWith('.gz')) return bytes.toString('utf8');
  return (await promisify(gunzip)(bytes, { maxOutputLength: hostRootDefaults.maxBytes })).toString('utf8');
}

/** `CONFIG_HZ=250` → HZ: 250. Only quotes are taken off; a carriage return stays and makes the label invalid. */
function parseConfig(text: string): Record<string, string> {
  const lines = text.split('\n').map((line) => /^CONFIG_([^=]+)=(.*)$/s.exec(line));
  return present(
    Object.fromEntries(lines.flatMap((match) => (match ? [[match[1], match[2]?.replace(/^"+|"+$/g, '')]] : []))),
  );
}
