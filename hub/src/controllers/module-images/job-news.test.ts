import { expect, test } from 'vitest';
import { JobNews, type News } from './job-news.ts';

const result: News = { result: { outcome: 'Stale' } };
const step: News = { step: 'Building' };

test('news is read until it is settled', () => {
  const news = new JobNews();
  news.tell('a', step);
  expect(news.of('a')).toEqual(step);
  news.settle('a', news.of('a'));
  expect([news.of('a'), news.size]).toEqual([undefined, 0]);
});

test('a result that arrives while a step is written down is not lost', () => {
  const news = new JobNews();
  news.tell('a', step);
  const read = news.of('a');
  news.tell('a', result);
  news.settle('a', read);
  expect(news.of('a')).toEqual(result);
});

test('a step that arrives behind the end of its job is old', () => {
  const news = new JobNews();
  news.tell('a', result);
  news.tell('a', step);
  expect(news.of('a')).toEqual(result);
});

test('settling without news does nothing', () => {
  const news = new JobNews();
  news.settle('a', undefined);
  expect(news.size).toBe(0);
});
