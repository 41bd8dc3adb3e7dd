import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MissingToolError } from '@kmm-hub/api-types';
import * as paths from '../../../scripts/setup/paths.mjs';

export type ControlPlaneProgram = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubectl';

/** The checkout's root folder. */
export const checkout = paths.checkout;

/** Every run has a folder below this one; git ignores it. */
export const runRoot = join(checkout, '.run');

/** What a program of the lab may know of the environment it was started in; above all no KUBECONFIG of the user's. */
const inherited = [
  ...['PATH', 'HOME', 'USER', 'TMPDIR', 'LANG', 'TZ', 'XDG_RUNTIME_DIR', 'XDG_CACHE_HOME', 'KMM_HUB_CACHE'],
  ...[
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'NO_PROXY',
    'http_proxy',
    'https_proxy',
    'no_proxy',
    'SSL_CERT_FILE',
    'SSL_CERT_DIR',
  ],
];

/** Downloads and builds, kept between runs and shared between clones: `~/.cache/kmm-hub` unless KMM_HUB_CACHE says otherwise. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return paths.cacheFolder(env);
}

/** The environment every program of the lab starts with: the short list above and nothing else. */
export function childEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  return Object.fromEntries(inherited.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/**
 * The file of one control-plane program: from KUBEBUILDER_ASSETS (the convention of controller-runtime's envtest) when
 * that folder has it, else as `npm run setup` built it.
 * @throws MissingToolError when it is in neither place.
 */
export function controlPlaneProgram(program: ControlPlaneProgram, env: NodeJS.ProcessEnv = process.env): string {
  const folders = [...(env.KUBEBUILDER_ASSETS ? [env.KUBEBUILDER_ASSETS] : []), paths.controlPlaneFolder(env)];
  const file = folders.map((folder) => join(folder, program)).find((candidate) => existsSync(candidate));
  if (file !== undefined) return file;
  const remedy = env.KUBEBUILDER_ASSETS
    ? `KUBEBUILDER_ASSETS does not hold it: unset the variable and run \`npm run setup\`, which builds it.`
    : 'Run `npm run setup`, which builds it.';
  throw new MissingToolError(program, remedy);
}

/**
 * The program that enrols keys in a UEFI firmware's variables, from PyPI's virt-firmware.
 * @throws MissingToolError before `npm run setup`.
 */
export function virtFwVars(env: NodeJS.ProcessEnv = process.env): string {
  const file = join(paths.virtFirmwareFolder(env), 'bin/virt-fw-vars');
  if (existsSync(file)) return file;
  throw new MissingToolError('virt-fw-vars', 'Run `npm run setup`, which installs it into the cache.');
}
