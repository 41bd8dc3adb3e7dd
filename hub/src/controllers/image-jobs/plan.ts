import { type JobPriority, jobPriorities, type QueuedJob } from '@kmm-hub/queue/client';
import { Turns } from './turns.ts';
import type { WantedJob } from './wanted-jobs.ts';

/** An image that needs a job, and who waits for it. */
export type Candidate = WantedJob & {
  /** Names of the modules that want it. */
  modules: readonly string[];
  /** Clusters that wait for it. */
  clusters: number;
  /** True when the recipe neither builds nor signs: a worker only asks the registry. */
  onlyLook: boolean;
};

export type JobsInput = {
  wanted: readonly Candidate[];
  /** What Redis has. */
  queued: readonly QueuedJob[];
  /** Whether there is a ModuleImage of the name. */
  exists: (name: string) => boolean;
  /** Jobs that all workers together work on at once; 0 when none is connected. */
  concurrency: number;
  /** Module → the turn at which it was last chosen for. */
  served: ReadonlyMap<string, number>;
  nowMs: number;
};

export type Chosen = { name: string; modules: readonly string[]; priority: JobPriority };
export type JobsPlan = {
  /** In this order. */
  add: Chosen[];
  move: { name: string; priority: JobPriority }[];
  remove: string[];
};

/** So many jobs are in Redis for each that is worked on: the next is there when one ends, and the rest can still be chosen. */
const BUILDS_PER_WORKER = 2;
const MAX_LOOKS = 200;
/** What waited this long comes before what more clusters wait for. */
const OVERDUE_MS = 10 * 60_000;
/** A job that was in Redis so lately and is not has ended, and its result is on the way; after that the result is lost. */
export const LOOK_AGAIN_MS = 15_000;

/**
 * Which jobs are to be in Redis. Pure.
 * 1. At most twice what the workers do at once, and 200 that are only a look. 2. What is overdue, and what several clusters
 * wait for, comes before what one cluster alone waits for. 3. Of the modules, the one with the fewest jobs in Redis is
 * chosen for, then the one whose turn was longest ago. 4. Of its images, first what is overdue, by age, then what most
 * clusters wait for. 5. The priority of a job that waits follows 2. 6. A waiting job whose ModuleImage is gone goes.
 */
export function planJobs({ wanted, queued, exists, concurrency, served, nowMs }: JobsInput): JobsPlan {
  const ranked = wanted.map((candidate) => ({ ...candidate, rank: rankOf(candidate, nowMs) })).sort(compare);
  const byName = new Map(ranked.map((candidate) => [candidate.name, candidate]));
  const inRedis = new Map(queued.filter(({ name, active }) => active || exists(name)).map((job) => [job.name, job]));
  const absent = ranked.filter((one) => exists(one.name) && !inRedis.has(one.name) && !isLately(one.inRedisMs, nowMs));
  const absentLooks = absent.filter(({ onlyLook }) => onlyLook);
  const absentBuilds = absent.filter(({ onlyLook }) => !onlyLook);
  const looks = [...inRedis.keys()].filter((name) => byName.get(name)?.onlyLook).length;
  const builds = inRedis.size - looks; // what nobody waits for any more takes room until it has ended
  const maxBuilds = BUILDS_PER_WORKER * Math.max(1, concurrency);
  const turns = new Turns(served);
  for (const name of inRedis.keys()) turns.hasJob(byName.get(name)?.modules ?? []);
  return {
    add: [...choose(absentLooks, turns, MAX_LOOKS - looks), ...choose(absentBuilds, turns, maxBuilds - builds)],
    move: ranked.flatMap((candidate) => {
      const job = inRedis.get(candidate.name);
      const priority = priorityOf(candidate);
      return job === undefined || job.active || job.priority === priority ? [] : [{ name: candidate.name, priority }];
    }),
    remove: queued.filter(({ name }) => !inRedis.has(name)).map(({ name }) => name),
  };
}

const RANKS = ['overdue', 'several', 'single'] as const;
type Ranked = Candidate & { rank: (typeof RANKS)[number] };

function rankOf({ sinceMs, clusters }: Candidate, nowMs: number): Ranked['rank'] {
  if (nowMs - sinceMs >= OVERDUE_MS) return 'overdue';
  return clusters > 1 ? 'several' : 'single';
}

function isLately(inRedisMs: number | undefined, nowMs: number): boolean {
  return inRedisMs !== undefined && nowMs - inRedisMs < LOOK_AGAIN_MS;
}

/** The best first. By name at last, so that the order in which images came decides nothing. */
function compare(a: Ranked, b: Ranked): number {
  const byWeight = a.rank === 'overdue' ? 0 : b.clusters - a.clusters;
  return (
    RANKS.indexOf(a.rank) - RANKS.indexOf(b.rank) || byWeight || a.sinceMs - b.sinceMs || (a.name < b.name ? -1 : 1)
  );
}

function priorityOf({ rank, onlyLook }: Ranked): JobPriority {
  if (onlyLook || rank === 'overdue') return jobPriorities.first;
  return rank === 'several' ? jobPriorities.normal : jobPriorities.last;
}

/** Takes from the modules in turn, of each its best image; what one cluster alone waits for once nothing else is left. */
function choose(candidates: readonly Ranked[], turns: Turns, room: number): Chosen[] {
  const chosen = new Map<string, Chosen>();
  for (const group of [
    candidates.filter(({ rank }) => rank !== 'single'),
    candidates.filter(({ rank }) => rank === 'single'),
  ]) {
    const lists = byModule(group);
    while (chosen.size < room && lists.size > 0) {
      const module = turns.next(lists.keys());
      const candidate = lists.get(module)?.shift();
      if (candidate === undefined) lists.delete(module);
      else if (!chosen.has(candidate.name)) {
        const { name, modules } = candidate;
        chosen.set(name, { name, modules, priority: priorityOf(candidate) });
        turns.chosen(modules);
      }
    }
  }
  return [...chosen.values()];
}

function byModule(candidates: readonly Ranked[]): Map<string, Ranked[]> {
  const lists = new Map<string, Ranked[]>();
  for (const candidate of candidates) {
    for (const module of candidate.modules) {
      const list = lists.get(module);
      if (list === undefined) lists.set(module, [candidate]);
      else list.push(candidate);
    }
  }
  return lists;
}
