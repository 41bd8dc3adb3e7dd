import { runCommand } from '../host/command.ts';
import { KernelNotFoundError } from './errors.ts';

/** `cloud` is small and boots fastest; `generic` has the drivers of real hardware. */
export type KernelFlavour = 'cloud' | 'generic';

/** One kernel as the package index names it, e.g. `linux-image-6.1.0-56-cloud-amd64` `6.1.192-2`. */
export type KernelPackage = { package: string; packageVersion: string };

export type KernelQuery = { series: string; flavour: KernelFlavour; architecture: string };

/**
 * Matches the signed kernel packages of one series: `6.1` → `linux-image-6.1.0-56-cloud-amd64`, `6.12` →
 * `linux-image-6.12.117+deb12-cloud-amd64`. Neither meta-packages nor `-unsigned`, `-dbg` or other flavours.
 */
export function kernelPackagePattern({ series, flavour, architecture }: KernelQuery): RegExp {
  const suffix = flavour === 'cloud' ? `cloud-${architecture}` : architecture;
  return new RegExp(
    `^linux-image-${RegExp.escape(series)}\\.[0-9]+(?:-[0-9]+|\\+[0-9a-z.]+)-${RegExp.escape(suffix)}$`,
  );
}

/** Reads `apt-cache madison`: `package | version | source`, one line for each version that a source serves. */
export function parseMadison(text: string): KernelPackage[] {
  return text.split('\n').flatMap((line) => {
    const [name, packageVersion, source] = line.split('|').map((field) => field.trim());
    if (name === undefined || packageVersion === undefined || source?.endsWith('Packages') !== true) return [];
    return [{ package: name, packageVersion }];
  });
}

/** The newest kernel that apt's index of this machine knows. Throws KernelNotFoundError when there is none. */
export async function newestInIndex(query: KernelQuery, signal: AbortSignal): Promise<KernelPackage> {
  const pattern = kernelPackagePattern(query);
  const known = await runCommand('apt-cache', ['pkgnames', `linux-image-${query.series}.`], { signal });
  const names = known.split('\n').filter((name) => pattern.test(name));
  const served = names.length === 0 ? '' : await runCommand('apt-cache', ['madison', ...names], { signal });
  let newest: KernelPackage | undefined;
  for (const candidate of parseMadison(served)) {
    if (newest === undefined || (await isNewer(candidate, newest, signal))) newest = candidate;
  }
  if (newest === undefined) {
    throw new KernelNotFoundError(
      `the package index holds no ${query.flavour} kernel ${query.series} for ${query.architecture}`,
    );
  }
  return newest;
}

/** Debian's own order of versions, by dpkg: it exits 0 for yes and 1 for no. */
async function isNewer(candidate: KernelPackage, than: KernelPackage, signal: AbortSignal): Promise<boolean> {
  const versions = [candidate.packageVersion, 'gt', than.packageVersion];
  const script = 'dpkg --compare-versions "$@" && echo yes || echo no';
  return (await runCommand('sh', ['-c', script, 'sh', ...versions], { signal })) === 'yes';
}
