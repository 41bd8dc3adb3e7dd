import { afterEach, expect, test, vi } from 'vitest';
import { readOptions } from './config.ts';

const read = (...flags: string[]) => readOptions(['node', 'main.ts', ...flags]);
afterEach(() => vi.unstubAllEnvs());

test('the flags are read, with the defaults of a spoke', () => {
  expect(read('--kubeconfig', 's', '--hub-kubeconfig', 'h', '--cluster-name', 'c1')).toEqual({
    ...{
      kubeconfig: 's',
      hubKubeconfig: 'h',
      clusterName: 'c1',
      namespace: 'openshift-kmm',
      healthPort: 0,
      leaderElect: true,
    },
  });
});

test('each flag may come from the environment, and the flag wins', () => {
  vi.stubEnv('KMM_HUB_KUBECONFIG', 'from-env');
  vi.stubEnv('KMM_CLUSTER_NAME', 'from-env');
  vi.stubEnv('KMM_LEADER_ELECT', 'false');
  expect(read('--cluster-name', 'c1', '--health-port', '8080')).toEqual({
    ...{ hubKubeconfig: 'from-env', clusterName: 'c1', namespace: 'openshift-kmm', healthPort: 8080 },
    leaderElect: false,
  });
});

test.each([
  ['a missing hub kubeconfig', ['--cluster-name', 'c1'], /--hub-kubeconfig/],
  ['a cluster name that is no namespace', ['--hub-kubeconfig', 'h', '--cluster-name', 'C 1'], /--cluster-name/],
  ['a port that is none', ['--hub-kubeconfig', 'h', '--cluster-name', 'c', '--health-port', '99999'], /--health-port/],
  ['a flag that does not exist', ['--hub-kubeconfig', 'h', '--cluster-name', 'c', '--nope'], /--nope/],
])('%s is wrong usage that names the flag', (_what, flags, named) => {
  expect(() => read(...flags)).toThrow(
    expect.objectContaining({ code: 'WrongUsage', message: expect.stringMatching(named) }),
  );
});
