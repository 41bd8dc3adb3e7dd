import { plainText } from '../../api/plain-text.ts';
import { type Cell, type Paint, type Style, tableText } from '../output/table.ts';
import { firstNotRight, type Step } from './step.ts';

const STYLES: Record<Step['state'], Style> = { ok: 'green', waiting: 'yellow', wrong: 'red', unknown: 'dim' };
const VERDICTS = { waiting: 'Waits', wrong: 'Not right', unknown: 'Not known' } as const;

export type WhyText = { columns: number; paint: Paint };

/** The whole way as a table, then the first thing that is not right in full, with its remedy. */
export function explanationText(steps: readonly Step[], { columns, paint }: WhyText): string {
  const first = firstNotRight(steps);
  const width = messageWidth(steps, columns);
  const rows = steps.map((step): Cell[] => {
    const state = step === first ? `${step.state} <-` : step.state;
    return [{ text: state, style: STYLES[step.state] }, nameOf(step), shortened(step.message, width)];
  });
  const table = tableText(['STATE', 'OBJECT', 'WHAT'], rows, paint);
  if (first === undefined) return `${table}\n${paint('green', 'Everything is right.')}\n`;
  const verdict = paint(STYLES[first.state], `${VERDICTS[first.state]}: ${nameOf(first)}`);
  return `${table}\n${verdict}\n${indented(first.message)}\n${paint('bold', 'What to do:')}\n${indented(first.remedy)}\n`;
}

/** As kubectl takes it, e.g. "manifestwork/c1 -n …" is too long for a table; Kind/namespace/name is told. */
function nameOf({ kind, namespace, name }: Step): string {
  return [kind, ...(namespace === undefined ? [] : [namespace]), name].join('/');
}

/** What the other columns leave of the line, but enough to be read. */
function messageWidth(steps: readonly Step[], columns: number): number {
  const objects = Math.max(...steps.map((step) => nameOf(step).length));
  return Math.max(40, columns - objects - 'waiting <-'.length - 5);
}

function shortened(message: string, width: number): string {
  const line = message.replace(/\s+/g, ' ').trim();
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}

/** A build repeats its whole RUN step in one line; nothing that a person looks for is behind this. */
const LONGEST_LINE = 600;

function indented(text: string): string {
  const lines = plainText(text).split('\n');
  return lines.map((line) => `  ${line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line}`).join('\n');
}
