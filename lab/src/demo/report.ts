import Table from 'cli-table3';
import type { World } from './run-demo.ts';
import type { StepResult } from './steps.ts';

/** One node as of the end of the rollout. */
export type NodeRow = {
  cluster: string;
  node: string;
  kernel: string;
  secureBoot: boolean;
  /** Of the image. */
  digest: string;
  state: string;
  /** The line that the module printed to the kernel log. */
  says: string;
};

/** The last line of `--json`; builds, works and nodes are as of the loaded module. */
export type DemoResult = {
  ok: boolean;
  seconds: number;
  builds: number;
  works: number;
  nodes: NodeRow[];
  steps: StepResult[];
};

export function demoResult(
  world: World,
  { ok, seconds, steps }: { ok: boolean; seconds: number; steps: StepResult[] },
): DemoResult {
  const builds = world.image?.status?.builds ?? 0;
  return { ok, seconds, builds, works: world.works, nodes: world.rows, steps };
}

const PLAIN = { chars: borderless(), style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 } };

/** What a person reads at the end: the fleet, what its nodes report, and the seconds of each step. */
export function reportText({ rows, report }: World, steps: StepResult[]): string {
  const fleet = new Table({ ...PLAIN, head: ['CLUSTER', 'NODE', 'KERNEL', 'IMAGE', 'STATE', 'KERNEL LOG SAYS'] });
  for (const { cluster, node, kernel, digest, state, says } of rows) {
    fleet.push([cluster, node, kernel, digest.slice(0, 19), state, says]);
  }
  const found = new Table({ ...PLAIN, head: ['NODE', 'LABELS', 'FEATURE SETS', 'NUMA ZONES', 'INVENTORY ON THE HUB'] });
  for (const { node } of rows) {
    const { nodeCount, groups } = report.inventory.spec ?? { nodeCount: 0, groups: [] };
    const inventory = `${nodeCount} node, ${Object.keys(groups[0]?.features ?? {}).length} features, ${groups[0]?.zones?.length} zones`;
    found.push([node, String(report.features.length), String(report.sets), report.zones.join(', '), inventory]);
  }
  const some = report.features.filter((label) => /kernel-version.full|cpu-model|os_release.ID=|pci|memory/.test(label));
  const times = new Table({ ...PLAIN, head: ['STEP', 'SECONDS'] });
  for (const { name, ok, seconds } of steps) times.push([ok ? name : `${name} (failed)`, seconds.toFixed(1)]);
  const labels = some.map((label) => `  ${label}`).join('\n');
  return [fleet, found].map(String).join('\n\n').concat(`\n\nSome of the labels:\n${labels}\n\n${times}\n`);
}

function borderless(): Record<string, string> {
  const edges = ['top', 'bottom', 'left', 'right', 'mid'];
  const names = edges.flatMap((edge) => [edge, `${edge}-mid`, `${edge}-left`, `${edge}-right`]);
  return Object.fromEntries([...names, 'middle', 'left-mid', 'mid-mid', 'right-mid'].map((name) => [name, '']));
}
