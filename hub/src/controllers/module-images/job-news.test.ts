import { expect, test } from 'vitest';
import { JobNews, type News } from './job-news.ts';

const result: News = { result: { outcome: 'Stale' } };
const step: News = { step: 'Building' };
const hint: News = { hinted: true };

/** What is to be acted on after all this was told. */
function told(...list: News[]): News | undefined {
  const news = new JobNews();
  for (const one of list) news.tell('a', one);
  return news.take('a');
}

test.each<[string, News[], News]>([
  ['a later step takes the place of an earlier one', [{ step: 'Pending' }, step], step],
  ['a result ends the steps before it', [step, result], result],
  ['a step that arrives behind the end of its job is old', [result, step], result],
  ['a hint stays, whatever is told before and after it', [step, hint, result], { ...result, ...hint }],
  ['no hint takes a hint away', [hint, { ...result, hinted: false }], { ...result, ...hint }],
])('%s', (_rule, list, want) => {
  expect(told(...list)).toEqual(want);
});

test('news is acted on once', () => {
  const news = new JobNews();
  news.tell('a', step);
  expect([news.take('a'), news.take('a'), news.size]).toEqual([step, undefined, 0]);
});

test('a result that arrives while a step is written down is not lost', () => {
  const news = new JobNews();
  news.tell('a', step);
  news.take('a');
  news.tell('a', result);
  expect(news.take('a')).toEqual(result);
});

test('what could not be acted on is news again, under what was told meanwhile', () => {
  const news = new JobNews();
  news.giveBack('a', undefined);
  expect(news.size).toBe(0);
  news.giveBack('a', result);
  expect(news.take('a')).toEqual(result);
  news.tell('a', { step: 'Signing' });
  news.giveBack('a', { ...step, ...hint });
  expect(news.take('a')).toEqual({ step: 'Signing', hinted: true });
});
