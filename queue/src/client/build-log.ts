import { QUEUE_PREFIX } from './image-job.ts';

/** One entry of an image's build log; `text` is what a build or a worker printed, and is not to be trusted. */
export type BuildLogEntry = {
  /** Of the Redis stream, e.g. "1732312345678-0": milliseconds since the epoch by Redis's clock, and a counter. */
  id: string;
  /** `step`: the worker begins one. `end`: the job is over, and how; only another attempt may follow. */
  kind: (typeof KINDS)[number];
  text: string;
};

const KINDS = ['step', 'line', 'end'] as const;

/**
 * A log outlives its job, since a failed build is looked at afterwards: for a day after its last line, the newest lines
 * of all attempts together. Redis evicts nothing, so every image is bounded.
 */
export const buildLogLimits = {
  entries: 2_000,
  bytes: 256 * 1024,
  /** One line; the rest of a longer one is cut off. */
  lineCharacters: 4_096,
  keepMs: 24 * 60 * 60_000,
};

/** The stream of an image's log, by the name of its ModuleImage. */
export function buildLogKey(name: string): string {
  return `${QUEUE_PREFIX}:build-log:${name}`;
}

/** The fields of a stream's entry, flat as Redis has them. */
export function fieldsOf(kind: BuildLogEntry['kind'], text: string): string[] {
  return ['kind', kind, 'text', text];
}

/** An entry as it came from Redis, where anybody with its password can put anything: what is no kind of ours is a line. */
export function readEntry([id, fields]: [string, string[]]): BuildLogEntry {
  const value = (name: string) => fields.find((_value, index) => index % 2 === 1 && fields[index - 1] === name) ?? '';
  const kind = KINDS.find((known) => known === value('kind')) ?? 'line';
  return { id, kind, text: value('text').slice(0, buildLogLimits.lineCharacters) };
}
