import { expect, test } from 'vitest';
import type { CaseResult } from './case.ts';
import { conformanceReport, reportText } from './report.ts';

const passed: CaseResult = { number: '1', title: 'it applies', result: 'passed', seconds: 0.52 };
const failed: CaseResult = {
  ...{ number: '22', title: 'it ignores', result: 'failed', seconds: 30, reason: 'data (waited 30 s)' },
  ...{ expected: '{"a":"2"}', seen: '{"a":"1"}' },
};
const skipped: CaseResult = {
  number: '26-slow',
  title: 'it repairs',
  result: 'skipped',
  seconds: 0,
  reason: 'takes minutes',
};

test('a report is a line for each case, what was seen under those that failed, and the sum', () => {
  const report = conformanceReport([passed, failed, skipped]);
  expect(report).toEqual({ ok: false, passed: 1, failed: 1, skipped: 1, cases: [passed, failed, skipped] });
  expect(reportText(report)).toBe(
    [
      '      1  passed   it applies (0.5 s)',
      '     22  failed   it ignores (30.0 s)',
      '                  data (waited 30 s)',
      '                  expected {"a":"2"}',
      '                  seen     {"a":"1"}',
      '26-slow  skipped  it repairs (takes minutes)',
      '',
      '1 passed, 1 failed, 1 skipped',
    ].join('\n'),
  );
});

test.each([
  ['skipped cases do not spoil it', [passed, skipped], true],
  ['a failed one does', [passed, failed], false],
  ['that nothing passed does, too', [skipped], false],
])('ok: %s', (_what, cases, ok) => {
  expect(conformanceReport(cases).ok).toBe(ok);
});
