import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CaseResult } from '../src/conformance/case.ts';
import { conformanceCases } from '../src/conformance/cases/index.ts';
import { judge } from '../src/conformance/judge.ts';
import { limitsFor } from '../src/conformance/options.ts';
import type { Limits } from '../src/conformance/stage.ts';
import { acceptCluster, type ConformanceWorld, startConformanceWorld } from '../src/conformance/world.ts';
import { Disposables } from '../src/host/disposables.ts';
import { runFolder } from '../src/host/run-folder.ts';
import { fakeWorkAgent, type Wrong } from './fake-work-agent.ts';

// The judge is judged: an agent that does one thing wrong fails the case that is about it, and in which words.

const { signal } = new AbortController(); // vitest's own limits end what hangs
const disposables = new Disposables();
let folder: string;
let world: ConformanceWorld;
let clusters = 0;

beforeAll(async () => {
  folder = await runFolder('test-judge');
  world = await startConformanceWorld({ folder, disposables, signal });
});
afterAll(async () => {
  await disposables.stopAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

const generous: Limits = { ...limitsFor({ interval: 0.2, patience: 8, startLimit: 120 }), quietMs: 1000 };
/** For what an agent never does: it would be waited for to the end. */
const short: Limits = { ...generous, promptMs: 10_000, statusMs: 10_000 };

/** Judges a fake agent in a cluster of its own, so that none sees the works of another. */
async function judged(numbers: string[], { wrong = {}, limits = generous }: { wrong?: Wrong; limits?: Limits }) {
  clusters += 1;
  const cluster = `judged-${clusters}`;
  await acceptCluster(world.hubPlane, cluster);
  const place = { hub: world.hub, spoke: world.spoke, link: world.link, cluster };
  const agent = fakeWorkAgent(place, wrong);
  await agent.start();
  try {
    const cases = conformanceCases.filter(({ number }) => numbers.includes(number));
    return await judge({ ...place, agent }, { cases, limits, renderer: 'silent' }, signal);
  } finally {
    await agent.stop();
  }
}

const outcomes = (results: readonly CaseResult[]) => results.map(({ number, result }) => [number, result]);

test('an agent that does right passes', async () => {
  const results = await judged(['1', '2', '3', '8', '12', '25'], {});
  expect(results.filter(({ result }) => result !== 'passed')).toEqual([]);
  expect(results).toHaveLength(6);
});

describe('an agent that', () => {
  type Verdict = { number: string; reason: RegExp; expected: string; seen: string };
  test.each<[string, Wrong, Verdict]>([
    [
      'never writes status fails, since its work tells nothing',
      { neverWritesStatus: true },
      {
        number: '3',
        reason: /^conditions of work w \(waited \d+ s\)$/,
        expected: '{"Applied":"True AppliedManifestWorkComplete","Available":"True ResourcesAvailable"}',
        seen: '{}',
      },
    ],
    [
      'never sees a change fails by its generation',
      { neverSeesChanges: true },
      {
        number: '8',
        reason: /^data and generations \(waited \d+ s\)$/,
        expected: '{"data":{"a":"2"},"work":2,"manifest":2}',
        seen: '{"data":{"a":"2"},"work":1,"manifest":1}',
      },
    ],
    [
      'lets a deleted work go too soon fails, since its record is still there',
      { letsGoTooSoon: true },
      {
        number: '12',
        reason: /^AppliedManifestWork and object are there when the work is gone$/,
        expected: '[false,false]',
        seen: '[true,true]',
      },
    ],
  ])('%s', async (_what, wrong, { number, reason, expected, seen }) => {
    const results = await judged([number], { wrong, limits: short });
    const failed = { number, result: 'failed', reason: expect.stringMatching(reason), expected, seen };
    expect(results).toMatchObject([failed]);
  });

  test('owns nothing fails by the owner references it should have set', async () => {
    const [result] = await judged(['2'], { wrong: { ownsNothing: true } });
    expect(result).toMatchObject({ result: 'failed', reason: 'owner references of the object', seen: '[]' });
    expect(result?.expected).toContain('"kind":"AppliedManifestWork"');
  });

  test('writes without need fails by a resource version that moves', async () => {
    const [result] = await judged(['25'], { wrong: { writesWithoutNeed: true } });
    const reason = 'resource versions of work, record and objects';
    expect(result).toMatchObject({ number: '25', result: 'failed', reason });
    expect(result?.seen).not.toBe(result?.expected);
  });

  test('does nothing fails every case, and is waited for only once', async () => {
    const results = await judged(['1', '3', '12'], { wrong: { idle: true }, limits: { ...short, startMs: 2000 } });
    const reason = 'finalizers of the first work after the start of the agent (waited 2 s)';
    expect(outcomes(results)).toEqual([
      ['1', 'failed'],
      ['3', 'failed'],
      ['12', 'failed'],
    ]);
    expect(results.map((result) => [result.reason, result.seen])).toEqual(Array(3).fill([reason, '[]']));
  });
});

test('cases that take minutes, or need what is not known of the agent, are skipped and say so', async () => {
  const results = await judged(['1', '29', '30-slow'], {});
  expect(results.map(({ number, result, reason }) => [number, result, reason])).toEqual([
    ['1', 'passed', undefined],
    ['29', 'skipped', "needs the agent's time of grace: --eviction-grace"],
    ['30-slow', 'skipped', 'takes minutes: --slow'],
  ]);
});
