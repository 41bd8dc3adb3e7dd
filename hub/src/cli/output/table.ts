import Table from 'cli-table3';
import { plainText } from '../../api/plain-text.ts';

export type Style = 'red' | 'yellow' | 'green' | 'dim' | 'bold';
/** Colours on a terminal that wants them; else the text as it is. */
export type Paint = (style: Style, text: string) => string;
export type Cell = string | { text: string; style: Style };

const PARTS = ['top', 'bottom', 'left', 'right', 'mid'];
const EDGES = PARTS.flatMap((part) => [part, `${part}-mid`, `${part}-left`, `${part}-right`]);
const chars = Object.fromEntries([...EDGES, 'middle', 'left-mid', 'mid-mid', 'right-mid'].map((part) => [part, '']));

/** As kubectl prints: upper-case heads, two spaces between columns, no borders; one line a row, whatever cells hold. */
export function tableText(head: readonly string[], rows: readonly (readonly Cell[])[], paint: Paint): string {
  const style = { head: [], border: [], 'padding-left': 0, 'padding-right': 2 };
  const table = new Table({ chars, style, head: [...head] });
  for (const row of rows) table.push(row.map((cell) => shown(cell, paint)));
  return `${String(table).replace(/ +$/gm, '')}\n`;
}

function shown(cell: Cell, paint: Paint): string {
  if (typeof cell === 'string') return oneLine(cell);
  return paint(cell.style, oneLine(cell.text));
}

function oneLine(text: string): string {
  return plainText(text).replace(/\s+/g, ' ').trim() || '-';
}
