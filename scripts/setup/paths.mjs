import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout; every path of the project starts here. */
export const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** Node 24 as npm installs it; the system's may be older. */
export const node24 = join(checkout, 'node_modules/.bin/node');

/** One binary, called by these names: see lab/control-plane/main.go. */
export const controlPlanePrograms = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'];

const versionOf = 'k8s.io/component-base/version';
/** Flags of `go build`. The version has to be told: a binary that is not built by Kubernetes' own scripts says v0.0.0. */
export const goBuildFlags = [
  '-trimpath',
  '-ldflags',
  `-s -w -X ${versionOf}.gitVersion=v1.36.3 -X ${versionOf}.gitMajor=1 -X ${versionOf}.gitMinor=36`,
];

/** Where downloads and builds are kept between runs and clones: KMM_HUB_CACHE, else kmm-hub in the user's cache folder. */
export function cacheFolder(env) {
  return resolve(env.KMM_HUB_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kmm-hub'));
}

/** The folder of the control-plane programs as built here. */
export function controlPlaneFolder(env) {
  return buildFolder(env, { name: 'control-plane', flags: goBuildFlags });
}

/** The folder of the program `registry`, of distribution v3. */
export function registryV3Folder(env) {
  return buildFolder(env, { name: 'registry-v3', flags: [] });
}

/** PyPI's virt-firmware: this version, since a newer one may name its flags otherwise. */
export const virtFirmwareVersion = '26.10';

/** The venv of the program that enrols keys in the firmware of a node with Secure Boot. */
export function virtFirmwareFolder(env) {
  return join(cacheFolder(env), `virt-firmware-${virtFirmwareVersion}`);
}

/** Where a Go module below lab/ is kept when built, named by the hash of everything the build depends on. */
function buildFolder(env, { name, flags }) {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'main.go']) {
    hash.update(readFileSync(join(checkout, 'lab', name, file))).update('\0');
  }
  hash.update(JSON.stringify([flags, process.arch]));
  return join(cacheFolder(env), `${name}-${hash.digest('hex').slice(0, 16)}`);
}
