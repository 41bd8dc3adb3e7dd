import { expect, test } from 'vitest';
import { readRows } from './golden/read-rows.ts';
import { substituteTemplate } from './template.ts';

type Case = { template: string; text?: string; unset?: string[]; ignored?: string[] };

const variables = new Map([
  ['A', 'alpha'],
  ['B', 'beta'],
  ['EMPTY', ''],
]);

test.each(readRows<Case>('template'))('substituteTemplate $behaviour: $template', (row) => {
  const { template, text, unset = [], ignored = [] } = row;
  const result = substituteTemplate(template, variables);
  if (text === undefined) expect(result).toMatchObject({ ok: false, error: { code: 'WrongTemplate' } });
  else expect(result).toEqual({ ok: true, value: { text, unset, ignored } });
});
