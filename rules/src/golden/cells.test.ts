import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readRows } from './read-rows.ts';

const here = new URL('.', import.meta.url);
const cells = Object.keys(parse(readFileSync(new URL('cells.yaml', here), 'utf8')));
const tables = readdirSync(here)
  .filter((file) => file.endsWith('.yaml') && file !== 'cells.yaml')
  .map((file) => file.slice(0, -'.yaml'.length));
const rows = tables.flatMap((table) => readRows<object>(table));

test('every cell of the rules has a golden row', () => {
  const shown = new Set(rows.flatMap((row) => row.cells ?? []));
  expect(cells.filter((cell) => !shown.has(cell))).toEqual([]);
});

test('every golden row names cells that there are', () => {
  const unknown = rows.flatMap((row) => row.cells?.filter((cell) => !cells.includes(cell)) ?? []);
  expect(unknown).toEqual([]);
});

test('every golden table is run by a test', () => {
  const sources = new URL('../', here);
  const tests = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.golden.test.ts'))
    .map((file) => readFileSync(new URL(file, sources), 'utf8'))
    .join();
  expect(tables.filter((table) => !tests.includes(`('${table}')`))).toEqual([]);
});
