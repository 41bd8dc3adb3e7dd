import { expect, test } from 'vitest';
import { secretMask } from './secret-mask.ts';

const mask = secretMask({
  token: { token: Buffer.from('hunter2\n'), longer: Buffer.from('hunter2-and-more') },
  key: { key: Buffer.from('-----BEGIN KEY-----\nMIIEvQ==\n-----END KEY-----\n'), pin: Buffer.from('1') },
});

test.each([
  ['curl -H "Authorization: hunter2" https://a.example', 'curl -H "Authorization: ***" https://a.example'],
  ['hunter2 hunter2-and-more', '*** ***'],
  ['MIIEvQ==', '***'],
  ['step 1 of 11', 'step 1 of 11'],
])('the line %j of a build is shown as %j', (line, shown) => {
  expect(mask(line)).toBe(shown);
});

test('a build without secrets shows every line as it is', () => {
  expect(secretMask({})('hunter2')).toBe('hunter2');
});
