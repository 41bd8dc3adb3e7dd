import type { ModuleImage } from '@kmm-hub/api-types';
import type { BuildLogEntry, BuildLogReader } from '@kmm-hub/queue/client';
import { plainText } from './plain-text.ts';

export type LogQuery = {
  /** Of the ModuleImage. */
  name: string;
  /** Goes on with what is still to come. */
  follow: boolean;
  /** The newest entries only; undefined: all that are kept. */
  tail?: number;
  /** The time of each line before it. */
  timestamps: boolean;
};

/** Where the image stands as the hub sees it; `unsettled`: a worker has it, or will. */
export type Standing = 'gone' | 'published' | 'failed' | 'unsettled';

/** What the hub has seen of images. */
export type ImageSource = {
  /** False while an image that is not found may only be not seen yet. */
  readonly synced: boolean;
  image(name: string): ModuleImage | undefined;
};

export function standingOf(images: ImageSource, name: string): Standing {
  const image = images.image(name);
  if (image === undefined) return images.synced ? 'gone' : 'unsettled';
  const { phase, recipeKey } = image.status ?? {};
  if (recipeKey !== image.spec.recipeKey) return 'unsettled';
  if (phase === 'Published') return 'published';
  return phase === 'Failed' || phase === 'Missing' ? 'failed' : 'unsettled';
}

/**
 * Whether nothing more is to be waited for behind the last entry. A failed image is tried again, and says Failed meanwhile:
 * there the log knows better. One that is published or gone needs no worker, even if one died without a last word.
 */
export function isOver(last: BuildLogEntry | undefined, standing: Standing): boolean {
  if (standing === 'gone' || standing === 'published') return true;
  return standing === 'failed' && (last === undefined || last.kind === 'end');
}

/** One line of the answer, with its line feed. */
export function lineOf({ id, kind, text }: BuildLogEntry, timestamps: boolean): string {
  const time = timeOf(id);
  const line = plainText(text).replaceAll('\n', ' ');
  if (kind !== 'line') return `== ${time} ${line}\n`;
  return timestamps ? `${time} ${line}\n` : `${line}\n`;
}

/** A stream's id begins with milliseconds; whoever can write to Redis can write any. */
function timeOf(id: string): string {
  const time = new Date(Number(id.split('-', 1)[0]));
  return Number.isNaN(time.getTime()) ? id : time.toISOString();
}

export type Followed = {
  logs: Pick<BuildLogReader, 'follow'>;
  /** What was read already. */
  entries: BuildLogEntry[];
  query: LogQuery;
  standing: () => Standing;
};

/**
 * The text of a log as it grows: until the job under way ends, nothing is to come any more, or the signal aborts. A log
 * whose job is over says how in its last line.
 */
export async function* followedText(
  { logs, entries, query, standing }: Followed,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { name, timestamps } = query;
  for (const entry of entries) yield lineOf(entry, timestamps);
  let last = entries.at(-1);
  if (isOver(last, standing())) return;
  for await (const added of logs.follow(name, last?.id, signal)) {
    for (const entry of added) {
      yield lineOf(entry, timestamps);
      if (entry.kind === 'end') return;
    }
    last = added.at(-1) ?? last;
    if (added.length === 0 && isOver(last, standing())) return;
  }
}
