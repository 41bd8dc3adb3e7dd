import { metricsRegistry } from '@kmm-hub/kube';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { jobMetrics } from './job-metrics.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('each step of a job is timed until the next one begins or the job ends, beside other jobs', async () => {
  const registry = metricsRegistry();
  const observe = jobMetrics(registry);
  const [one, other] = [observe(), observe()];
  one.began('Looking');
  vi.advanceTimersByTime(1000);
  one.began('Building');
  other.began('Looking');
  vi.advanceTimersByTime(4000);
  one.ended('Published');
  other.ended('Aborted');
  const lines = (await registry.metrics()).split('\n').filter((line) => /^kmm_hub_job(?!.*_bucket)/.test(line));
  expect(lines.sort()).toEqual([
    'kmm_hub_job_step_duration_seconds_count{step="Building"} 1',
    'kmm_hub_job_step_duration_seconds_count{step="Looking"} 2',
    'kmm_hub_job_step_duration_seconds_count{step="Publishing"} 0',
    'kmm_hub_job_step_duration_seconds_count{step="Signing"} 0',
    'kmm_hub_job_step_duration_seconds_sum{step="Building"} 4',
    'kmm_hub_job_step_duration_seconds_sum{step="Looking"} 5',
    'kmm_hub_job_step_duration_seconds_sum{step="Publishing"} 0',
    'kmm_hub_job_step_duration_seconds_sum{step="Signing"} 0',
    'kmm_hub_jobs_ended_total{outcome="Aborted"} 1',
    'kmm_hub_jobs_ended_total{outcome="Published"} 1',
  ]);
});
