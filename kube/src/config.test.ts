import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { processEnvironment } from './config.ts';

const PROXY_NAMES = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'];
const CLUSTER_NAMES = ['KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT', 'KUBECONFIG'];

/** Whatever the machine that runs the tests has set. */
beforeEach(() => {
  for (const name of [...PROXY_NAMES, ...CLUSTER_NAMES, 'LOG_LEVEL']) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

function read(variables: Record<string, string>) {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  return processEnvironment();
}

describe('the proxies of the environment', () => {
  test.each([
    ['none', {}, {}],
    [
      'upper case',
      { HTTP_PROXY: 'http://a:1', HTTPS_PROXY: 'http://b:2', NO_PROXY: '.svc' },
      { httpProxy: 'http://a:1', httpsProxy: 'http://b:2', noProxy: '.svc' },
    ],
    [
      'lower case',
      { http_proxy: 'http://a:1', https_proxy: 'http://b:2', no_proxy: '.svc' },
      { httpProxy: 'http://a:1', httpsProxy: 'http://b:2', noProxy: '.svc' },
    ],
    [
      'both, of which the upper case wins',
      {
        ...{ HTTP_PROXY: 'http://upper:1', HTTPS_PROXY: 'http://upper:2', NO_PROXY: 'upper' },
        ...{ http_proxy: 'http://lower:1', https_proxy: 'http://lower:2', no_proxy: 'lower' },
      },
      { httpProxy: 'http://upper:1', httpsProxy: 'http://upper:2', noProxy: 'upper' },
    ],
    [
      'an empty one, which is none',
      { HTTP_PROXY: '', HTTPS_PROXY: '', https_proxy: 'http://b:2', NO_PROXY: '', no_proxy: '' },
      { httpsProxy: 'http://b:2' },
    ],
    ['one for http, which is not taken for https', { http_proxy: 'http://a:1' }, { httpProxy: 'http://a:1' }],
  ])('%s', (_what, variables, proxy) => {
    expect(read(variables).connection).toEqual({ proxy });
  });
});

test('a pod names its API server and a shell its kubeconfig; what is empty is not there', () => {
  const pod = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443', KUBECONFIG: '' };
  expect(read(pod).connection).toEqual({ serviceHost: '10.0.0.1', servicePort: '443', proxy: {} });
  const shell = { KUBERNETES_SERVICE_HOST: '', KUBERNETES_SERVICE_PORT: '', KUBECONFIG: '/one:/two' };
  expect(read(shell).connection).toEqual({ kubeconfigVariable: '/one:/two', proxy: {} });
});

test('a log says what happens unless it is asked for more or less', () => {
  expect(read({}).logLevel).toBe('info');
  expect(read({ LOG_LEVEL: 'debug' }).logLevel).toBe('debug');
});
