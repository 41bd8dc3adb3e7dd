import type { ModuleConfig, NodeModuleSpec, NodeModuleStatus } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { type Outcome, statusAfter } from './status.ts';

const config = (containerImage: string): ModuleConfig => ({
  kernelVersion: '6.1.0',
  containerImage,
  insecurePull: false,
  modprobe: { moduleName: 'hello' },
});
const module = (name: string, image = 'r@sha256:aa'): NodeModuleSpec => ({
  name,
  namespace: 'drivers',
  serviceAccountName: 'loader',
  config: config(image),
});
const loaded = (name: string, image?: string): NodeModuleStatus => ({ ...module(name, image), bootId: 'boot-1' });
const failure = { reason: 'UnknownSymbol', message: 'Unknown symbol x', nextAttempt: '2026-01-01T00:00:00.000Z' };
const { config: _config, ...withoutConfig } = module('b');

type Row = { status: NodeModuleStatus[]; outcome: Outcome; want: NodeModuleStatus[] };
const done = (name: string): Outcome => ({ kind: 'loaded', module: module(name), bootId: 'boot-1' });

test.each<[string, Row]>([
  ['adds what was loaded', { status: [], outcome: done('a'), want: [loaded('a')] }],
  ['sorts by namespace and name', { status: [loaded('b')], outcome: done('a'), want: [loaded('a'), loaded('b')] }],
  [
    'takes an old failure away with a load',
    { status: [{ ...loaded('a', 'old'), error: failure }], outcome: done('a'), want: [loaded('a')] },
  ],
  [
    'keeps what is still loaded beside a failure',
    {
      status: [loaded('a', 'old')],
      outcome: { kind: 'failed', module: module('a', 'new'), ...failure },
      want: [{ ...loaded('a', 'old'), error: failure }],
    },
  ],
  [
    'tells the failure of what was never loaded, without a configuration',
    {
      status: [],
      outcome: { kind: 'failed', module: module('b'), ...failure },
      want: [{ ...withoutConfig, error: failure }],
    },
  ],
  [
    'drops what is gone',
    { status: [loaded('a'), loaded('b')], outcome: { kind: 'gone', module: module('a') }, want: [loaded('b')] },
  ],
  [
    'says nothing of a failed removal of what it does not know',
    { status: [], outcome: { kind: 'failed', module: { namespace: 'drivers', name: 'a' }, ...failure }, want: [] },
  ],
])('statusAfter %s', (_behaviour, { status, outcome, want }) => {
  expect(statusAfter(status, outcome)).toEqual(want);
});
