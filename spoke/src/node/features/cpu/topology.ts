import { present, type RawFeatures } from '../feature-source.ts';
import type { HostRoot } from '../host-root.ts';
import type { FeatureOptions } from '../options.ts';

const FOLDER = 'sys/bus/cpu/devices';

/** `cpu.topology`: threads and sockets of the CPUs that are online; one that is offline has no topology folder. */
export async function discoverCpuTopology(host: HostRoot, { upstreamDefects }: FeatureOptions): Promise<RawFeatures> {
  const names = await host.list(FOLDER);
  const cpus = await Promise.all(
    names.map(async (name) => ({
      siblings: await host.readValue(`${FOLDER}/${name}/topology/thread_siblings_list`),
      socket: await host.readValue(`${FOLDER}/${name}/topology/physical_package_id`),
    })),
  );
  const online = cpus.filter(({ siblings }) => siblings !== undefined);
  if (online.length === 0 || (upstreamDefects && online.length < cpus.length))
    return { attributes: { 'cpu.topology': {} } };
  const sockets = new Set(online.map(({ socket }) => socket).filter((socket) => socket !== undefined));
  const hardwareThreads = online.some(({ siblings }) => /[-,]/.test(siblings ?? ''));
  return {
    attributes: {
      'cpu.topology': { hardware_multithreading: String(hardwareThreads), socket_count: String(sockets.size) },
    },
  };
}

/**
 * `cpu.coretype`, a set of our own: the CPUs of each kind of core, `cpu_atom` → `4-7`. Empty on a CPU of one kind.
 * Upstream looks below a doubled `sys` and never finds them.
 */
export async function discoverCoreTypes(host: HostRoot): Promise<RawFeatures> {
  const kinds = ((await host.listIfPresent('sys/devices')) ?? []).filter((name) => name.startsWith('cpu_'));
  const cpus = kinds.map(async (kind) => [kind, await host.readValue(`sys/devices/${kind}/cpus`)]);
  return { attributes: { 'cpu.coretype': present(Object.fromEntries(await Promise.all(cpus))) } };
}
