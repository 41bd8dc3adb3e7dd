import { join } from 'node:path';
import { nodeModulesConfig } from '@kmm-hub/api-types';
import { Controller, type KubeClient, type ReconcileMetrics, Reflector } from '@kmm-hub/kube';
import { type ProxyOptions, readRegistriesConf } from '@kmm-hub/oci';
import type { Logger } from 'pino';
import { DiscoveryLoop } from './discovery-loop.ts';
import { HostRoot } from './features/host-root.ts';
import { Intents } from './modules/intents.ts';
import { createKmod } from './modules/kmod.ts';
import { type PullRequest, pullModuleFiles } from './modules/pull.ts';
import { type Attempt, reconcileNodeModules } from './modules/reconcile.ts';

export type NodeAgentOptions = {
  client: KubeClient;
  nodeName: string;
  hostRoot: string;
  namespace: string;
  featureIntervalMs: number;
  /** For registries; by HTTP(S)_PROXY and NO_PROXY. */
  proxy?: ProxyOptions | undefined;
  log: Logger;
  metrics: ReconcileMetrics;
};

export const CONTROLLERS = ['node-modules'] as const;

/** Below the host root; survives reboots. */
const STATE_FOLDER = 'var/lib/kmm';
/** Mirrors of the node's container runtime, containers-registries.conf(5): what holds for its pods holds for modules. */
const REGISTRIES_CONF = 'etc/containers/registries.conf';
/** A module's init may take two minutes, and several modules wait for each other. */
const RECONCILE_LIMIT_MS = 30 * 60_000;
/** The kernel tells nobody when a module is taken out by hand. */
const LOOK_AGAIN_MS = 60_000;

/** Everything that runs on a node: discovery, and the modules of the node's own NodeModulesConfig. */
export class NodeAgent {
  readonly #options: NodeAgentOptions;
  readonly #discovery: DiscoveryLoop;
  readonly #reflector: Reflector<NonNullable<(typeof nodeModulesConfig)['type']>>;
  readonly #host: HostRoot;

  constructor(options: NodeAgentOptions) {
    const { client, nodeName, namespace, featureIntervalMs: intervalMs, log, hostRoot } = options;
    this.#options = options;
    this.#host = new HostRoot(hostRoot);
    this.#discovery = new DiscoveryLoop({ client, host: this.#host, nodeName, namespace, intervalMs, log });
    const select = { fieldSelector: `metadata.name=${nodeName}` };
    this.#reflector = new Reflector({ client, resource: nodeModulesConfig, select, log });
  }

  problems(): string[] {
    return [this.#discovery.problem ?? [], this.#reflector.problem ?? []].flat();
  }

  /** Runs until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, nodeName, hostRoot, proxy, log, metrics } = this.#options;
    const host = this.#host;
    const state = join(hostRoot, STATE_FOLDER);
    const imagesFolder = join(state, 'images');
    const mirrors = async () => readRegistriesConf((await host.readIfPresent(REGISTRIES_CONF)) ?? '');
    const release = (await host.read('proc/sys/kernel/osrelease')).trim();
    const deps = {
      client,
      host,
      kmod: createKmod(),
      intents: new Intents(join(state, 'intents')),
      nodeName,
      release,
      bootId: (await host.read('proc/sys/kernel/random/boot_id')).trim(),
      pull: (request: PullRequest, limit: AbortSignal) =>
        pullModuleFiles({ client, imagesFolder, release, mirrors, proxy }, request, limit),
      imagesFolder,
      attempts: new Map<string, Attempt>(),
      log,
    };
    const controller = new Controller({
      name: 'node-modules',
      concurrency: 1, // the kernel's module list is one thing
      timeoutMs: RECONCILE_LIMIT_MS,
      reconcile: async (key, limit) => {
        // Before the first list an empty cache would mean "unload everything".
        if (!this.#reflector.cache.synced) return { requeueAfterMs: 100 };
        const result = await reconcileNodeModules(deps, this.#reflector.cache.get(key), limit);
        return result ?? { requeueAfterMs: LOOK_AGAIN_MS };
      },
      log,
      metrics,
    });
    this.#reflector.cache.onChange(({ key }) => controller.queue.add(key));
    controller.queue.add(nodeName);
    log.info({ node: nodeName, kernelVersion: deps.release }, 'node agent runs');
    await Promise.all([this.#reflector.run(signal), this.#discovery.run(signal), controller.run(signal)]);
  }
}
