import type { Restartable } from '../host/restartable.ts';
import type { Kernel } from '../nodes/kernels.ts';
import type { ControlPlane } from '../servers/control-plane.ts';
import type { HubLink } from '../servers/hub-link.ts';
import type { Redis } from '../servers/redis.ts';
import type { Registry } from '../servers/registry.ts';
import type { SigningPair } from './signing-pair.ts';
import type { WorldNode } from './spoke-world.ts';

/** A node of a world to be. */
export type NodePlan = {
  name: string;
  /** Of its Debian cloud kernel, e.g. `6.1`; the newest one is taken. */
  series: string;
  secureBoot: boolean;
  /** Each is a NUMA node of its own. Under Secure Boot one is cheapest: the firmware calls all of them together at each step. */
  cpus: number;
};

/** A spoke of a world to be. */
export type ClusterPlan = {
  name: string;
  nodes: readonly NodePlan[];
  /** ManagedCluster.spec.leaseDurationSeconds (OCM's default: 60): after five of them in silence a cluster is Unknown. */
  leaseDurationSeconds?: number;
};

/** A node that runs, and where it belongs. */
export type FleetNode = WorldNode & { plan: NodePlan; spoke: ControlPlane };

/** One hub, the spokes and nodes of a plan, and what they share. Steps fill it in; each relies on those before it. */
export class World {
  readonly plan: readonly ClusterPlan[];
  hub!: ControlPlane;
  registry!: Registry;
  redis!: Redis;
  /** What modules are signed with: the firmware of nodes with Secure Boot trusts it. */
  signing!: SigningPair;
  readonly #kernels = new Map<string, Kernel>();
  readonly #spokes = new Map<string, ControlPlane>();
  readonly #nodes = new Map<string, WorldNode>();
  readonly #links = new Map<string, HubLink>();
  readonly #processes = new Map<string, Restartable>();

  constructor(plan: readonly ClusterPlan[]) {
    this.plan = plan;
  }

  /** The series that the plan names, each once. */
  get series(): string[] {
    return [...new Set(this.plan.flatMap(({ nodes }) => nodes.map(({ series }) => series)))];
  }

  kernel(series: string): Kernel {
    return present(this.#kernels, series);
  }

  spoke(cluster: string): ControlPlane {
    return present(this.#spokes, cluster);
  }

  node(name: string): FleetNode {
    const node = this.nodes.find(({ plan }) => plan.name === name);
    if (node === undefined) throw new RangeError(`${name} is not started yet`);
    return node;
  }

  /** The only way from the agents of a cluster to the hub. */
  link(cluster: string): HubLink {
    return present(this.#links, cluster);
  }

  /** One of our own processes, e.g. `hub`, `worker`, `spoke-a-work-agent`. */
  process(name: string): Restartable {
    return present(this.#processes, name);
  }

  /** Our own processes on this machine; node agents run in their nodes. */
  get processes(): Restartable[] {
    return [...this.#processes.values()];
  }

  /** The spokes that run, in the order of the plan. */
  get spokes(): ControlPlane[] {
    return this.plan.flatMap(({ name }) => this.#spokes.get(name) ?? []);
  }

  /** The nodes that run, in the order of the plan. */
  get nodes(): FleetNode[] {
    return this.plan.flatMap((cluster) =>
      cluster.nodes.flatMap((plan) => {
        const node = this.#nodes.get(plan.name);
        return node === undefined ? [] : [{ ...node, plan, spoke: this.spoke(cluster.name) }];
      }),
    );
  }

  addKernel(series: string, kernel: Kernel): void {
    this.#kernels.set(series, kernel);
  }

  addSpoke(plane: ControlPlane): void {
    this.#spokes.set(plane.name, plane);
  }

  addLink(cluster: string, link: HubLink): void {
    this.#links.set(cluster, link);
  }

  addProcesses(...processes: Restartable[]): void {
    for (const process of processes) this.#processes.set(process.name, process);
  }

  addNode(node: WorldNode): void {
    this.#nodes.set(node.node.name, node);
  }
}

function present<T>(parts: ReadonlyMap<string, T>, name: string): T {
  const part = parts.get(name);
  if (part === undefined) throw new RangeError(`${name} is not started yet`);
  return part;
}
