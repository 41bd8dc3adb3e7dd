import type { CaseResult } from './case.ts';

/** The last line of `--json`. Skipped cases do not spoil `ok`; that none passed does. */
export type ConformanceReport = { ok: boolean; passed: number; failed: number; skipped: number; cases: CaseResult[] };

export function conformanceReport(cases: CaseResult[]): ConformanceReport {
  const count = (wanted: CaseResult['result']) => cases.filter(({ result }) => result === wanted).length;
  const [passed, failed, skipped] = [count('passed'), count('failed'), count('skipped')];
  return { ok: passed > 0 && failed === 0, passed, failed, skipped, cases };
}

/** A line for each case, what was expected and seen under those that failed, and the sum at the end. */
export function reportText({ cases, passed, failed, skipped }: ConformanceReport): string {
  const width = Math.max(...cases.map(({ number }) => number.length), 0);
  const lines = cases.flatMap((result) => linesOf(result, width));
  return [...lines, '', `${passed} passed, ${failed} failed, ${skipped} skipped`].join('\n');
}

function linesOf({ number, title, result, seconds, reason, expected, seen }: CaseResult, width: number): string[] {
  const why = result === 'skipped' ? `(${reason})` : `(${seconds.toFixed(1)} s)`;
  const line = `${number.padStart(width)}  ${result.padEnd(7)}  ${title} ${why}`;
  if (result !== 'failed') return [line];
  const more = [reason, expected && `expected ${expected}`, seen && `seen     ${seen}`];
  const indent = ' '.repeat(width + 11);
  return [line, ...more.flatMap((part) => (part ? part.split('\n').map((text) => `${indent}${text}`) : []))];
}
