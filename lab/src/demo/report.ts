import Table from 'cli-table3';
import type { Findings, NodeRow } from './findings.ts';
import type { StepResult } from './steps.ts';
import { buildsOf } from './verify-images.ts';

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
  { images, works, rows }: Findings,
  { ok, seconds, steps }: { ok: boolean; seconds: number; steps: StepResult[] },
): DemoResult {
  return { ok, seconds, builds: buildsOf(images), works, nodes: rows, steps };
}

const PLAIN = { chars: borderless(), style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 } };

/** What a person reads at the end: the fleet once it was loaded, what its nodes report, and each step with its seconds. */
export function reportText({ rows, reports }: Findings, steps: StepResult[]): string {
  const fleet = table('CLUSTER', 'NODE', 'KERNEL', 'SECURE BOOT', 'IMAGE', 'STATE', 'KERNEL LOG SAYS');
  for (const { cluster, node, kernel, secureBoot, digest, state, says } of rows) {
    fleet.push([cluster, node, kernel, secureBoot ? 'yes' : 'no', digest.slice(0, 19), state, says]);
  }
  const found = table('NODE', 'LABELS', 'FEATURE SETS', 'NUMA ZONES', 'INVENTORY ON THE HUB');
  for (const { node, labels, sets, zones, inventory } of reports) {
    found.push([node, String(labels.length), String(sets), zones.join(', '), inventory]);
  }
  return [fleet, found, someLabels(reports), readBack(steps), times(steps)].map(String).join('\n\n').concat('\n');
}

function someLabels(reports: Findings['reports']): string {
  const telling = /kernel-version.full|cpu-model.vendor|os_release.ID=|pci|memory/;
  const lines = reports.slice(0, 1).flatMap(({ node, labels }) => {
    const some = labels.filter((label) => telling.test(label)).map((label) => `  ${label}`);
    return [`Some of the labels of ${node}:`, ...some];
  });
  return lines.join('\n');
}

/** In full, as it was found: the words of kernels and compilers are worth reading. */
function readBack(steps: StepResult[]): string {
  const told = steps.flatMap(({ name, says }) => (says === undefined ? [] : [`  ${name}\n${indented(says)}`]));
  return ['What the steps have read back:', ...told].join('\n');
}

function indented(text: string): string {
  return text.replace(/^/gm, '      ');
}

function times(steps: StepResult[]): Table.Table {
  const seconds = table('STEP', 'SECONDS');
  for (const step of steps) seconds.push([step.ok ? step.name : `${step.name} (failed)`, step.seconds.toFixed(1)]);
  return seconds;
}

function table(...head: string[]): Table.Table {
  return new Table({ ...PLAIN, head });
}

function borderless(): Record<string, string> {
  const edges = ['top', 'bottom', 'left', 'right', 'mid'];
  const names = edges.flatMap((edge) => [edge, `${edge}-mid`, `${edge}-left`, `${edge}-right`]);
  return Object.fromEntries([...names, 'middle', 'left-mid', 'mid-mid', 'right-mid'].map((name) => [name, '']));
}
