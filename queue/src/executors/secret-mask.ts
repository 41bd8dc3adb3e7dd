import type { BuildRequest } from './executor.ts';

/** Shorter ones are part of ordinary words, and would black out the log. */
const SHORTEST = 6;

/**
 * Puts *** in the place of what the build's secrets hold, in a line that the build printed: logs, statuses and events are
 * read by more people than Secrets. Covers values and their lines as they are, not what a step made of them.
 */
export function secretMask(secrets: BuildRequest['secrets']): (line: string) => string {
  const values = Object.values(secrets).flatMap((entries) => Object.values(entries));
  const lines = values.flatMap((value) => value.toString('utf8').split(/\r?\n/)).map((line) => line.trim());
  // longest first: one secret may be the beginning of another
  const hidden = [...new Set(lines)].filter(({ length }) => length >= SHORTEST).sort((a, b) => b.length - a.length);
  return (line) => hidden.reduce((masked, secret) => masked.replaceAll(secret, '***'), line);
}
