import { UsageError } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { parseDurationMs, parseOptions } from './options.ts';

const required = ['--hub-kubeconfig', 'hub.yaml', '--cluster-name', 'spoke-a'];

test('two flags are enough to start', () => {
  expect(parseOptions(required)).toEqual({
    hubKubeconfig: 'hub.yaml',
    clusterName: 'spoke-a',
    registration: false,
    statusSyncIntervalMs: 10_000,
    evictionGraceMs: 3_600_000,
    healthPort: 0,
  });
});

test('every flag arrives under its name and in its unit', () => {
  const more = [
    '--kubeconfig',
    's',
    '--agent-id',
    'a',
    '--registration',
    '--status-sync-interval',
    '1.5',
    '--health-port',
    '8081',
  ];
  expect(parseOptions([...required, ...more, '--appliedmanifestwork-eviction-grace-period', '30s'])).toEqual({
    hubKubeconfig: 'hub.yaml',
    clusterName: 'spoke-a',
    kubeconfig: 's',
    agentId: 'a',
    registration: true,
    statusSyncIntervalMs: 1500,
    evictionGraceMs: 30_000,
    healthPort: 8081,
  });
});

test.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['0.2', 200],
  ['5m', 300_000],
  ['1h', 3_600_000],
])('the duration %s is %d ms', (text, durationMs) => {
  expect(parseDurationMs(text)).toBe(durationMs);
});

test.each([
  ['a missing flag', ['--cluster-name', 'c'], '--hub-kubeconfig'],
  ['an unknown flag', [...required, '--nope'], '--nope'],
  ['a duration without a number', [...required, '--status-sync-interval', 'soon'], 'soon is no duration'],
  ['a duration of nothing', [...required, '--status-sync-interval', '0s'], '0s is no duration'],
  ['a port beyond the last one', [...required, '--health-port', '65536'], 'whole number from 0 to 65535'],
])('%s is told in one line', (_mistake, args, words) => {
  expect(() => parseOptions(args)).toThrow(UsageError);
  expect(() => parseOptions(args)).toThrow(words);
});
