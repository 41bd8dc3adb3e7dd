import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SPOKE_NAMESPACE } from '@kmm-hub/api-types';
import { bundleAgent } from './agent-bundle.ts';
import { initramfs } from './initramfs.ts';
import { qemuArguments } from './machine.ts';
import type { NodeOptions } from './node-options.ts';
import { secureBoot } from './secure-boot.ts';
import { systemDisk } from './system-disk.ts';

const defaults = { memoryMiB: 512, cpus: 2, accelerator: 'tcg', namespace: SPOKE_NAMESPACE } as const;
const INITRAMFS = 'initramfs.cpio';
/** Inside the node, where nothing else listens. */
const AGENT_HEALTH_PORT = 8080;
/** This machine's loopback as QEMU's user network shows it to a guest. */
const GATEWAY = '10.0.2.2';

/** Writes what one start of a node needs into its folder and answers with QEMU's arguments. */
export async function prepareMachine(options: NodeOptions): Promise<string[]> {
  const { name, folder, kernel, cacheFolder, signal } = options;
  const disk = await systemDisk({ kernel, ...(cacheFolder === undefined ? {} : { cacheFolder }), signal });
  const agent = await bundleAgent(options.agentEntry);
  const content = await initramfs(
    kernel,
    { environment: environmentOf(options), secrets: secretsOf(options), agent },
    signal,
  );
  await writeFile(join(folder, INITRAMFS), content, { mode: 0o600 });
  const {
    cpus = defaults.cpus,
    memoryMiB = defaults.memoryMiB,
    accelerator = defaults.accelerator,
    pci = [],
  } = options;
  const files = { ...(await bootFiles(options)), initramfs: INITRAMFS, systemDisk: disk, stateDisk: 'state.img' };
  return qemuArguments({ name, ...files, cpus, memoryMiB, pci, accelerator });
}

async function bootFiles({ folder, kernel: { vmlinuz }, secureBoot: wanted, signal }: NodeOptions) {
  return wanted === undefined ? { vmlinuz } : secureBoot({ ...wanted, folder, vmlinuz, signal });
}

function environmentOf({ name, apiServer, forwards = [] }: NodeOptions): Record<string, string> {
  return {
    NODE_NAME: name,
    KUBERNETES_SERVICE_HOST: GATEWAY,
    KUBERNETES_SERVICE_PORT: String(apiServer.port),
    FORWARDS: forwards.join(' '),
    HEALTH_PORT: String(AGENT_HEALTH_PORT),
  };
}

function secretsOf({ folder, token, apiServer, namespace = defaults.namespace }: NodeOptions): Record<string, string> {
  // systemd's machine-id: 32 hex digits, the same at each start of one node
  const machineId = createHash('sha256').update(folder).digest('hex').slice(0, 32);
  return { token, 'ca.crt': apiServer.caPem, namespace, 'machine-id': `${machineId}\n` };
}
