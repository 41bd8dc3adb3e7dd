import { expect, test } from 'vitest';
import { plainText } from './plain-text.ts';

test.each([
  ['text stays as it is', 'cc -O2 größe.c\tok\nnext', 'cc -O2 größe.c\tok\nnext'],
  ['colours go', '\u001b[31merror:\u001b[0m x', 'error: x'],
  ['what renames the window goes', '\u001b]0;evil\u0007rest', 'rest'],
  ['what moves the cursor goes', 'a\u001b[2J\u001b[1;1Hb', 'ab'],
  ['a DOS line end is a line end', 'one\r\ntwo\r', 'one\ntwo'],
  ['what writes over the line shows', '10%\r100%', '10%\u{fffd}100%'],
  ['a bell, a backspace and a C1 control show', '\u0007a\u0008\u0085', '\u{fffd}a\u{fffd}\u{fffd}'],
  ['what turns the direction of writing shows', 'a\u202eb', 'a\u{fffd}b'],
  ['a sequence that never ends loses its beginning', '\u001b]0;evil', ';evil'],
])('%s', (_what, written, shown) => {
  expect(plainText(written)).toBe(shown);
});

test('no text brings an escape to the terminal', () => {
  const all = Array.from({ length: 0x2100 }, (_, code) => String.fromCodePoint(code)).join('');
  const left = new Set(plainText(all + all));
  expect(['\u001b', '\u009b', '\u0007', '\u0008', '\r', '\u202e'].filter((character) => left.has(character))).toEqual(
    [],
  );
  expect(left.has('\t') && left.has('\n') && left.has('ß')).toBe(true);
});
