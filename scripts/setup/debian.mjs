import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { SetupError } from './errors.mjs';
import { run } from './run.mjs';

/** Debian's packages that a world, the build pipeline and the tests need, in one place. */
export const debianPackages = [
  'buildah', // builds images, without a daemon
  'busybox-static', // userspace of the nodes
  'ca-certificates',
  'cpio', // the nodes' initramfs
  'docker-registry',
  'e2fsprogs', // the nodes' disk
  'gcc', // kernel modules of the tests
  'kmod', // modprobe and depmod, on the nodes and here
  'linux-kbuild-6.1', // the kernel's own sign-file, to compare our signatures with
  'make',
  'mmdebstrap', // toolkit images: compiler and kernel headers
  'openssl', // certificates of the control planes, keys of the examples
  'ovmf', // firmware of a node with Secure Boot
  'python3-venv', // for virt-fw-vars, which enrols keys in that firmware
  'qemu-system-x86',
  'redis-server',
  'sbsigntool', // signs the kernel of a node with Secure Boot
  'uidmap', // buildah without root
  'util-linux', // setpriv, unshare, flock
  'zstd',
];

/** Packages whose daemons we start ourselves, with our own configuration, and nobody else should. */
const daemons = { 'redis-server': 'redis-server.service', 'docker-registry': 'docker-registry.service' };

/** Debian's convention for "start nothing": see invoke-rc.d(8), "INIT SCRIPT POLICY". */
const policyFile = '/usr/sbin/policy-rc.d';

/** @param {readonly string[]} packages @returns {string[]} those that are not installed */
export function missingPackages(packages) {
  const query = spawnSync('dpkg-query', ['-W', '-f=${Package} ${db:Status-Status}\n', ...packages], {
    encoding: 'utf8',
  });
  if (query.error) {
    throw new SetupError('this machine has no dpkg', {
      remedy: `Setting up works on Debian and its relatives. Elsewhere install by hand what these packages hold, with a dpkg-query that says so: ${packages.join(' ')}.`,
      cause: query.error,
    });
  }
  const installed = new Set(
    query.stdout.split('\n').flatMap((line) => (line.endsWith(' installed') ? [line.split(' ')[0]] : [])),
  );
  return packages.filter((name) => !installed.has(name));
}

/**
 * Installs what is missing when we are root, without starting any service.
 * @param {readonly string[]} packages
 * @param {{ progress: (line: string) => void, signal?: AbortSignal }} context
 * @throws {SetupError} with the one command to run when we are not root.
 */
export async function ensurePackages(packages, { progress, signal }) {
  const missing = missingPackages(packages);
  if (missing.length === 0) return;
  const install = ['install', '--yes', '--no-install-recommends', ...missing];
  if (process.getuid() !== 0) {
    throw new SetupError(`Debian packages are missing: ${missing.join(' ')}`, {
      remedy: `Run this once, then start again:\n  sudo sh -c 'apt-get update && apt-get ${install.join(' ')}'`,
    });
  }
  progress(`Debian packages: installing ${missing.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const patient = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3'];
  await run('apt-get', [...patient, 'update'], { env, signal });
  await withoutServices(() => run('apt-get', [...patient, ...install], { env, signal }));
  await keepFromStartingAtBoot(missing, signal);
}

/**
 * A policy that is there already (as in containers) stays as it is. A signal waits until ours is gone again: Ctrl-C ends apt-get
 * too, so that is soon.
 */
async function withoutServices(work) {
  if (existsSync(policyFile)) return work();
  let received;
  const hold = (name) => {
    received = name;
  };
  process.on('SIGINT', hold).on('SIGTERM', hold);
  writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return await work();
  } finally {
    rmSync(policyFile, { force: true });
    process.off('SIGINT', hold).off('SIGTERM', hold);
    if (received !== undefined) process.kill(process.pid, received);
  }
}

/** Debian enables a daemon with its package: docker-registry would be open to the network after the next boot. */
async function keepFromStartingAtBoot(installed, signal) {
  const units = installed.flatMap((name) => daemons[name] ?? []);
  if (units.length === 0 || !existsSync('/run/systemd/system')) return;
  await run('systemctl', ['disable', '--quiet', ...units], { signal });
}
