import { expect, test } from 'vitest';
import { tableText } from './table.ts';

test('a table looks as kubectl’s do', () => {
  const rows = [
    ['nic', '1', 'Loaded'],
    ['hello-kmod', '', 'two\nlines\u001b[2J'],
    ['ß', { text: '10', style: 'red' as const }, 'x'],
  ];
  expect(tableText(['NAME', 'NODES', 'REASON'], rows, (style, text) => `<${style} ${text}>`)).toBe(
    [
      'NAME        NODES     REASON',
      'nic         1         Loaded',
      'hello-kmod  -         two lines',
      'ß           <red 10>  x',
      '',
    ].join('\n'),
  );
});

test('colours take no room', () => {
  const text = tableText(
    ['A', 'B'],
    [[{ text: 'x', style: 'red' }, 'y']],
    (_style, inner) => `\u001b[31m${inner}\u001b[39m`,
  );
  expect(text).toBe('A  B\n\u001b[31mx\u001b[39m  y\n');
});

test('without rows only the heads are there', () => {
  expect(tableText(['A', 'B'], [], (_style, text) => text)).toBe('A  B\n');
});
