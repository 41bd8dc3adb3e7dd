import { expect, test, vi } from 'vitest';
import { WantedJobs } from './wanted-jobs.ts';

function jobsAt(nowMs = 1000) {
  const changed = vi.fn();
  return { changed, jobs: new WantedJobs(changed, () => nowMs) };
}

test('an image is wanted once, since it was first wanted, and every word of it may change what is in Redis', () => {
  let nowMs = 1000;
  const changed = vi.fn();
  const jobs = new WantedJobs(changed, () => nowMs);
  jobs.want('a');
  nowMs = 2000;
  jobs.want('a');
  expect(jobs.list()).toEqual([{ name: 'a', sinceMs: 1000 }]);
  expect(changed).toHaveBeenCalledTimes(2);
});

test('an image whose job ended is not wanted any more', () => {
  const { jobs, changed } = jobsAt();
  jobs.want('a');
  jobs.seen('a');
  expect([jobs.forget('a'), jobs.has('a'), jobs.list()]).toEqual([false, false, []]);
  expect(changed).toHaveBeenCalledTimes(2);
});

test('nothing is kept of an image that nobody wants', () => {
  const { jobs } = jobsAt();
  jobs.seen('a');
  expect([jobs.hint('a'), jobs.list()]).toEqual([false, []]);
});

test('a Secret that changes while the job is in Redis is told when the job ends, once', () => {
  const { jobs } = jobsAt();
  jobs.want('a');
  jobs.seen('a');
  expect(jobs.hint('a')).toBe(true);
  jobs.seen('a');
  expect([jobs.forget('a'), jobs.forget('a')]).toEqual([true, false]);
});

test('a Secret that changes before the job is in Redis is read by it anyway', () => {
  const { jobs } = jobsAt();
  jobs.want('a');
  expect(jobs.hint('a')).toBe(false);
});

test('a Redis that is there again is taken for empty', () => {
  const { jobs, changed } = jobsAt();
  jobs.want('a');
  jobs.seen('a');
  expect(jobs.list()).toEqual([{ name: 'a', sinceMs: 1000, inRedisMs: 1000 }]);
  jobs.redisIsBack();
  expect(jobs.list()).toEqual([{ name: 'a', sinceMs: 1000 }]);
  expect(changed).toHaveBeenCalledTimes(2);
});
