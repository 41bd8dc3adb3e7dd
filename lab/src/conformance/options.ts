import { UsageError } from '@kmm-hub/api-types';
import { Command } from 'commander';
import { conformanceCases } from './cases/index.ts';
import type { Limits } from './stage.ts';

export type ConformanceOptions = {
  /** A command for a shell; undefined for ours. */
  agent?: string;
  slow: boolean;
  json: boolean;
  /** Numbers of cases; undefined for all. */
  cases?: string[];
  limits: Limits;
};

type Flags = {
  agent?: string;
  slow: boolean;
  json: boolean;
  cases?: string[];
  statusSyncInterval: number;
  evictionGrace?: number;
  patience: number;
  startLimit: number;
};

/** How our own agent is started. */
export const ours = { statusSyncIntervalSeconds: 0.5, evictionGraceSeconds: 10 };

const seconds = (text: string) => positive(text, 'seconds');

/** @throws UsageError */
export function parseOptions(args: readonly string[]): ConformanceOptions {
  const flags = command().parse(args, { from: 'user' }).opts<Flags>();
  const { agent, slow, json, cases, patience, startLimit } = flags;
  const known = new Set(conformanceCases.map(({ number }) => number));
  const unknown = cases?.filter((number) => !known.has(number)) ?? [];
  if (unknown.length > 0) throw new UsageError(`there is no case ${unknown.join(', ')}`);
  const isOurs = agent === undefined;
  const interval = isOurs ? ours.statusSyncIntervalSeconds : flags.statusSyncInterval;
  const grace = isOurs ? ours.evictionGraceSeconds : flags.evictionGrace;
  const limits = limitsFor({ interval, patience, startLimit, ...(grace !== undefined && { grace }) });
  return { slow, json, limits, ...(agent !== undefined && { agent }), ...(cases && { cases }) };
}

/** All in seconds. OCM's own agent does what is prompt within 15 s, and sees the spoke within two of its intervals. */
export function limitsFor(given: { interval: number; patience: number; startLimit: number; grace?: number }): Limits {
  const { interval, patience, startLimit, grace } = given;
  const status = 2 * interval + 5;
  return {
    promptMs: 15_000 * patience,
    statusMs: 1000 * status * patience,
    quietMs: 1000 * status,
    startMs: 1000 * startLimit,
    ...(grace !== undefined && { evictionGraceMs: 1000 * grace }),
  };
}

function command(): Command {
  return new Command('conformance:work')
    .description(
      "Judges a work agent by OCM's behaviour, from outside: by objects on a hub's and a spoke's API server.",
    )
    .option('--agent <command>', 'for a shell; {hub} and {spoke} are kubeconfigs, {cluster} a name. Default: ours')
    .option('--slow', 'also the cases that take minutes', false)
    .option('--json', 'the last line is one JSON object with the result', false)
    .option('--cases <numbers>', 'only these, e.g. 1,22,30-slow', (text) => text.split(','))
    .option('--status-sync-interval <seconds>', 'of the agent given, as it is started by its command', seconds, 3)
    .option('--eviction-grace <seconds>', 'likewise its time of grace for vanished works', seconds)
    .option(
      '--patience <factor>',
      'stretches every limit; a busy machine needs more',
      (text) => positive(text, 'factor'),
      2,
    )
    .option('--start-limit <seconds>', "until the agent's first deed", seconds, 180);
}

function positive(text: string, what: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new UsageError(`${text} is no number of ${what}`);
  return number;
}
