import { expect, test } from 'vitest';
import { readRows } from './golden/read-rows.ts';
import { isLabelKey, isLabelValue } from './label.ts';

type Case = { text?: string; repeat?: [unit: string, times: number]; key: boolean; value: boolean };

test.each(readRows<Case>('label'))('a label may be made of $behaviour as the row says', (row) => {
  const { text = '', repeat: [unit, times] = ['', 0], key, value } = row;
  const whole = unit.repeat(times) + text;
  expect({ key: isLabelKey(whole), value: isLabelValue(whole) }).toEqual({ key, value });
});
