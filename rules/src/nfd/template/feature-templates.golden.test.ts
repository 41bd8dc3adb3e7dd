import { expect, test } from 'vitest';
import { readRows } from '../../golden/read-rows.ts';
import type { MatchedElement } from '../term.ts';
import { expandTemplates, type MatchedFeatures } from './expand.ts';

type Case = { template: string; text?: string; error?: string };

const device = new Map([['device', [{ class: '0300', vendor: '10de' }, { class: '0200', vendor: '8086' }]]]);
const cpuid = new Map([['cpuid', [{ Name: 'AVX' }, { Name: 'SSE4' }]]]);
const matched: MatchedFeatures = new Map<string, Map<string, MatchedElement[]>>([
  ['pci', device],
  ['cpu', cpuid],
  ['f', new Map([['none', []]])],
]);

test.each(readRows<Case>('feature-templates'))('a template $behaviour', ({ template, text, error }) => {
  const expanded = expandTemplates(`${template}|=`, [matched]); // what is written becomes the key of one line
  if (expanded.ok) expect([...expanded.value.keys()]).toEqual([`${text}|`]);
  else expect(expanded.error).toMatchObject({ code: 'WrongFeatureTemplate', message: error });
});
