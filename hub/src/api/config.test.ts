import { UsageError } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { type ApiConfig, type ApiFlags, apiConfig } from './config.ts';

test.each<[string, ApiFlags, ApiConfig | undefined]>([
  ['nothing is said: a free port and a certificate of its own', {}, {}],
  ['0 is no endpoint', { apiPort: 0, apiUrl: 'https://hub' }, undefined],
  ['a port', { apiPort: 8443 }, { port: 8443 }],
  ['an address with a path', { apiUrl: 'https://hub.example.com:1/kmm/' }, { url: 'https://hub.example.com:1/kmm' }],
  [
    'a certificate with its key',
    { apiCertificate: 'c', apiKey: 'k', apiCa: 'a' },
    { files: { certificate: 'c', key: 'k', ca: 'a' } },
  ],
])('flags of the endpoint: %s', (_what, flags, config) => {
  expect(apiConfig(flags)).toEqual(config);
});

test.each<[string, ApiFlags]>([
  ['a certificate without its key', { apiCertificate: 'c' }],
  ['a key without its certificate', { apiKey: 'k' }],
  ['an authority alone', { apiCa: 'a' }],
  ['an address without TLS', { apiUrl: 'http://hub' }],
  ['an address that is none', { apiUrl: 'hub:8443' }],
  ['an address with a password', { apiUrl: 'https://a:b@hub' }],
])('%s is refused', (_what, flags) => {
  expect(() => apiConfig(flags)).toThrow(UsageError);
});
