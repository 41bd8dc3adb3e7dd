import { jobPriorities, type QueuedJob } from '@kmm-hub/queue/client';
import { expect, test } from 'vitest';
import { type Candidate, type JobsInput, type JobsPlan, planJobs } from './plan.ts';

const MINUTE = 60_000;
const NOW = 60 * MINUTE;
const { first, normal, last } = jobPriorities;
const image = (name: string, overrides: Partial<Candidate> = {}): Candidate => ({
  ...{ name, modules: ['nic'], clusters: 2, onlyLook: false, sinceMs: NOW - MINUTE },
  ...overrides,
});
const job = (name: string, overrides: Partial<QueuedJob> = {}): QueuedJob => ({
  ...{ name, active: false, priority: normal },
  ...overrides,
});
const images = (count: number, of: (index: number) => Partial<Candidate>) =>
  Array.from({ length: count }, (_, index) => image(`i${String(index).padStart(3, '0')}`, of(index)));
const plan = (input: Partial<JobsInput>): JobsPlan =>
  planJobs({
    ...{ wanted: [], queued: [], exists: () => true, concurrency: 1, served: new Map(), nowMs: NOW },
    ...input,
  });
const namesOf = ({ add }: JobsPlan) => add.map(({ name }) => name);
const nothing: JobsPlan = { add: [], move: [], remove: [] };

test('what several clusters wait for is added before what one waits for, and the queue is told which is which', () => {
  const wanted = [image('one', { clusters: 1 }), image('many', { clusters: 9 }), image('look', { onlyLook: true })];
  expect(plan({ wanted })).toEqual({
    ...nothing,
    add: [
      { name: 'look', modules: ['nic'], priority: first },
      { name: 'many', modules: ['nic'], priority: normal },
      { name: 'one', modules: ['nic'], priority: last },
    ],
  });
});

test.each<[string, number, number]>([
  ['twice as many builds as all workers work on at once', 3, 6],
  ['two builds while no worker is there', 0, 2],
])('keeps %s', (_rule, concurrency, count) => {
  const wanted = images(50, () => ({}));
  const { add } = plan({ wanted, concurrency });
  expect(add).toHaveLength(count);
  const queued = add.map(({ name }) => job(name));
  expect(plan({ wanted, concurrency, queued })).toEqual(nothing);
});

test('keeps 200 looks, whatever the number of workers and builds', () => {
  const wanted = [...images(300, () => ({ onlyLook: true })), image('build')];
  expect(plan({ wanted }).add).toHaveLength(201);
});

test.each<[string, Candidate[], string[]]>([
  ['most clusters wait for', images(3, (index) => ({ clusters: index + 2 })), ['i002', 'i001']],
  ['is waited for longest, of equals', images(3, (index) => ({ sinceMs: NOW - index })), ['i002', 'i001']],
  ['comes first by name, of equals', images(3, () => ({})), ['i000', 'i001']],
  [
    'has waited for ten minutes, oldest first',
    images(4, (index) => ({ clusters: 1 + (index % 2) * 8, sinceMs: NOW - index * 5 * MINUTE })),
    ['i003', 'i002'],
  ],
])('chooses first what %s', (_rule, wanted, names) => {
  expect(namesOf(plan({ wanted }))).toEqual(names);
});

test('takes from the modules in turn, so that one with many images does not keep the others waiting', () => {
  const greedy = images(50, () => ({ modules: ['a'], clusters: 100 }));
  const wanted = [...greedy, image('b1', { modules: ['b'] }), image('c1', { modules: ['c'] })];
  expect(namesOf(plan({ wanted, concurrency: 2 }))).toEqual(['i000', 'b1', 'c1', 'i001']);
});

test('chooses for the module that has the fewest jobs in Redis, then for the one whose turn was longest ago', () => {
  const wanted = ['a', 'b', 'c'].map((module) => image(`${module}1`, { modules: [module] }));
  const running = image('a0', { modules: ['a'] });
  const queued = [job('a0', { active: true })];
  const served = new Map([
    ['b', 7],
    ['c', 6],
  ]);
  expect(namesOf(plan({ wanted: [...wanted, running], queued, served }))).toEqual(['c1']);
});

test('an image that several modules want is one job, and a turn of each', () => {
  const shared = image('shared', { modules: ['a', 'b'], clusters: 9 });
  const wanted = [shared, image('b1', { modules: ['b'] }), image('c1', { modules: ['c'] })];
  expect(namesOf(plan({ wanted }))).toEqual(['shared', 'c1']);
});

test('one cluster alone waits until nothing else is left, of whatever module', () => {
  const wanted = [image('a1', { modules: ['a'], clusters: 1 }), ...images(3, () => ({ modules: ['b'] }))];
  expect(namesOf(plan({ wanted }))).toEqual(['i000', 'i001']);
});

type Move = { now: Partial<Candidate>; queued: QueuedJob; move: JobsPlan['move'] };
test.each<[string, Move]>([
  [
    'by now several clusters wait for',
    { now: {}, queued: job('i', { priority: last }), move: [{ name: 'i', priority: normal }] },
  ],
  [
    'one cluster alone still waits for',
    { now: { clusters: 1 }, queued: job('i'), move: [{ name: 'i', priority: last }] },
  ],
  ['has waited too long', { now: { sinceMs: 0 }, queued: job('i'), move: [{ name: 'i', priority: first }] }],
  ['is where it belongs', { now: {}, queued: job('i'), move: [] }],
  ['a worker has', { now: { clusters: 1 }, queued: job('i', { active: true }), move: [] }],
])('a job that %s moves accordingly', (_rule, { now, queued, move }) => {
  expect(plan({ wanted: [image('i', now)], queued: [queued] })).toEqual({ ...nothing, move });
});

test('a waiting job whose image is gone goes, and makes room; one that runs finds out itself', () => {
  const queued = [job('gone'), job('runs', { active: true })];
  const wanted = images(3, () => ({}));
  const planned = plan({ wanted, queued, exists: (name) => name.startsWith('i') });
  expect([planned.remove, namesOf(planned)]).toEqual([['gone'], ['i000']]);
});

test('a job of an image that is settled takes room as any other, until it has ended', () => {
  expect(namesOf(plan({ wanted: images(3, () => ({})), queued: [job('settled')] }))).toEqual(['i000']);
});

test('a job that was there a moment ago has ended, and is added again only when its result never comes', () => {
  const lately = image('i', { inRedisMs: NOW - 14_999 });
  expect(plan({ wanted: [lately] })).toEqual(nothing);
  expect(namesOf(plan({ wanted: [{ ...lately, inRedisMs: NOW - 15_000 }] }))).toEqual(['i']);
});
