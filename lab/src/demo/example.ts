import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HUB_NAMESPACE } from '@kmm-hub/api-types';
import { runCommand } from '../host/command.ts';
import { checkout } from '../host/config.ts';
import type { ControlPlane } from '../servers/control-plane.ts';
import type { WorldContext } from '../world/hub-world.ts';

export const MODULE = 'hello-kmod';
/** As the kernel spells it. */
export const KERNEL_MODULE = 'hello_kmod';
export const GREETING = 'hello-from-the-hub';
/** What the module prints when it is loaded with that parameter. */
export const SAYS = `${KERNEL_MODULE}: ${GREETING}`;

/** Follows examples/hello-kmod/README.md with kubectl, the lab's registry in place of registry.example.com. */
export async function applyExample(
  hub: ControlPlane,
  registryHost: string,
  { folder, signal }: WorldContext,
): Promise<void> {
  const key = join(folder, 'signing-key.pem');
  const certificate = join(folder, 'signing-cert.der');
  const subject = ['-subj', `/CN=${MODULE}`, '-keyout', key, '-outform', 'DER', '-out', certificate];
  const request = ['req', '-x509', '-new', '-nodes', '-utf8', '-sha256', '-days', '36500', '-newkey', 'rsa:2048'];
  await runCommand('openssl', [...request, ...subject], { signal });
  const secret = (name: string, entry: string) =>
    hub.kubectl([`--namespace=${HUB_NAMESPACE}`, 'create', 'secret', 'generic', name, `--from-file=${entry}`]);
  await secret('hello-kmod-signing-key', `key=${key}`);
  await secret('hello-kmod-signing-cert', `cert=${certificate}`);
  for (const file of ['configmap.yaml', 'managedclustermodule.yaml']) {
    const text = await readFile(join(checkout, 'examples/hello-kmod', file), 'utf8');
    await hub.kubectl(['apply', '--filename=-'], { input: text.replaceAll('registry.example.com', registryHost) });
  }
}
