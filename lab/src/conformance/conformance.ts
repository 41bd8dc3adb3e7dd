import { join } from 'node:path';
import { checkout } from '../host/config.ts';
import type { ProcessExitedError } from '../host/errors.ts';
import { nodeCommand, processAgent, shellCommand } from './agent.ts';
import { adminAccess, shippedAccess } from './agent-access.ts';
import type { CaseResult, ConformanceCase } from './case.ts';
import { judge } from './judge.ts';
import { type ConformanceOptions, ours } from './options.ts';
import type { Bench } from './stage.ts';
import { acceptCluster, startConformanceWorld, type WorldContext } from './world.ts';

const CLUSTER = 'c1';

/** Starts two API servers and the agent and judges it. What it starts is left to the context's disposables. */
export async function runConformance(
  {
    context,
    options,
    cases,
  }: { context: WorldContext; options: ConformanceOptions; cases: readonly ConformanceCase[] },
  { renderer, say }: { renderer: 'default' | 'simple'; say: (line: string) => void },
): Promise<CaseResult[]> {
  const started = performance.now();
  const world = await startConformanceWorld(context);
  const { hub, spoke, link } = world;
  await acceptCluster(world.hubPlane, CLUSTER);
  const failing = new AbortController();
  const signal = AbortSignal.any([context.signal, failing.signal]);
  const place = { cluster: CLUSTER, folder: context.folder, signal };
  const { agent: template } = options;
  const access = template === undefined ? await shippedAccess(world, place) : await adminAccess(world, place);
  const command = template === undefined ? ourCommand(access) : shellCommand(template, access);
  const onEnd = (error: ProcessExitedError) => failing.abort(error);
  const agent = processAgent(command, { logFile: join(context.folder, 'agent.log'), onEnd, signal: context.signal });
  context.disposables.add({ name: 'agent', stop: () => agent.stop(), limitMs: 60_000 });
  await agent.start();
  say(`hub ${link.url}, spoke ${world.spokePlane.url}, agent started (${secondsSince(started)} s)`);
  const bench: Bench = { hub, spoke, cluster: CLUSTER, link, agent };
  return judge(bench, { cases, limits: options.limits, slow: options.slow, renderer }, signal);
}

function ourCommand({ hub, spoke, cluster }: { hub: string; spoke: string; cluster: string }) {
  const { statusSyncIntervalSeconds, evictionGraceSeconds } = ours;
  return nodeCommand(join(checkout, 'spoke/src/work/main.ts'), [
    ...[`--kubeconfig=${spoke}`, `--hub-kubeconfig=${hub}`, `--cluster-name=${cluster}`],
    `--status-sync-interval=${statusSyncIntervalSeconds}s`,
    `--appliedmanifestwork-eviction-grace-period=${evictionGraceSeconds}s`,
  ]);
}

function secondsSince(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(1);
}
