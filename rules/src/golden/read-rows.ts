import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/**
 * One line of a rule's table. `behaviour` is the title of its test; `upstream` tells what KMM v2.6, or NFD v0.19, does
 * where we differ; `cells` are the ids of what it shows of KMM's rules, from cells.yaml.
 */
export type GoldenRow<Case> = Case & { behaviour: string; upstream?: string; cells?: string[] };

/** Reads the table `golden/<rule>.yaml`, which is written and reviewed by people. */
export function readRows<Case>(rule: string): GoldenRow<Case>[] {
  return parse(readFileSync(new URL(`./${rule}.yaml`, import.meta.url), 'utf8'));
}
