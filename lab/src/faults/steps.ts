import { configMap } from '@kmm-hub/api-types';
import type { KubeClient } from '@kmm-hub/kube';
import { waitFor } from '../host/wait.ts';
import type { ControlPlane } from '../servers/control-plane.ts';
import { compactEtcd } from './etcd.ts';
import type { FaultProxy, ProxiedRequest } from './fault-proxy.ts';
import type { Fault } from './faults.ts';
import type { Dice } from './random.ts';

/** The namespace in which all of it happens. */
export const NAMESPACE = 'campaign';

export type Scene = { plane: ControlPlane; proxy: FaultProxy; direct: KubeClient; roll: Dice; signal: AbortSignal };
export type Step = { name: string; run: (scene: Scene) => Promise<unknown> };

const MEET_LIMIT_MS = 60_000;

/** What befalls requests, under the names by which a campaign counts them. */
const faults: Readonly<Record<string, Fault>> = {
  '409 storm': { kind: 'answer', status: 409 },
  '410': { kind: 'answer', status: 410 },
  '422': { kind: 'answer', status: 422 },
  '429 with Retry-After': { kind: 'answer', status: 429, retryAfterSeconds: 1 },
  '500': { kind: 'answer', status: 500 },
  '503': { kind: 'answer', status: 503 },
  'connection cut': { kind: 'cut' },
  'answer lost': { kind: 'lose' },
  'answer stalled': { kind: 'stall' },
  'watch expired': { kind: 'expire' },
  'events doubled': { kind: 'duplicate' },
  delay: { kind: 'delay', ms: 50 },
};

/** What befalls the connections and the servers. */
const disasters: Readonly<Record<string, Step['run']>> = {
  'every connection cut': async ({ proxy }) => proxy.cutAll(),
  'every connection stalled': async ({ proxy }) => proxy.stallAll(),
  'etcd compacted': ({ plane, signal }) => compactEtcd(plane, signal),
  'API server killed': killApiServer,
};

/** Every kind of fault that there is. */
export const kinds: readonly string[] = [...Object.keys(faults), ...Object.keys(disasters)];

/** One fault of this kind. */
export function stepOf(kind: string, roll: Dice): Step {
  const disaster = disasters[kind];
  return disaster === undefined ? faultStep(kind, roll) : { name: kind, run: disaster };
}

export function drawStep(roll: Dice): Step {
  const drawn = roll.below(100);
  if (drawn < 45) return writeStep(roll);
  if (drawn < 70) return faultStep(Object.keys(faults)[roll.below(Object.keys(faults).length)] ?? '', roll);
  const [disaster] = [
    drawn < 84 && 'every connection cut',
    drawn < 95 && 'every connection stalled',
    drawn < 98 && 'etcd compacted',
    'API server killed',
  ].filter((kind) => kind !== false);
  return stepOf(disaster ?? '', roll);
}

/** Somebody writes or deletes an object, or meddles with a copy, so that what the mirror knows is old. */
function writeStep(roll: Dice): Step {
  const name = `${roll.below(3) === 0 ? 'copy-' : ''}m${roll.below(12)}`;
  const ref = { namespace: NAMESPACE, name };
  if (roll.below(3) === 0) {
    return { name: `delete ${name}`, run: ({ direct, signal }) => direct.delete(configMap, ref, signal) };
  }
  return { name: `write ${name}`, run: (scene) => write(scene, name, roll.below(1000)) };
}

async function write({ direct, signal }: Scene, name: string, value: number): Promise<void> {
  const patch = { metadata: { name, namespace: NAMESPACE }, data: { value: String(value) } };
  const ref = { namespace: NAMESPACE, name };
  await direct.patch(configMap, { ref, patch, type: 'apply', fieldManager: 'campaign', force: true }, signal);
}

/**
 * Whether a request can meet the fault without being lied to: events are those of watches, conflicts are the answers to
 * writes, and "invalid" is believed, so that it is said of streaming lists alone.
 */
function concerns(fault: Fault | undefined, { method, watch }: ProxiedRequest): boolean {
  if (fault?.kind === 'expire' || fault?.kind === 'duplicate') return watch;
  if (fault?.kind !== 'answer') return true;
  return fault.status === 409 ? method !== 'GET' : fault.status !== 422 || method === 'GET';
}

/** The next few requests meet it. Ends when the first one has met it. */
function faultStep(kind: string, roll: Dice): Step {
  const fault = faults[kind];
  const times = 1 + roll.below(4);
  const run = async (scene: Scene) => {
    const { proxy, signal } = scene;
    let left = times;
    proxy.decide = (request) => {
      if (left === 0 || !concerns(fault, request)) return undefined;
      left -= 1;
      return fault;
    };
    proxy.cutAll(); // so that there are new requests
    const met = async () => {
      if (left < times) return true;
      await write(scene, `m${roll.below(12)}`, roll.below(1000)); // so that there is something to write for the mirror
      return undefined;
    };
    await waitFor({ what: `a request that meets ${kind}`, check: met, timeoutMs: MEET_LIMIT_MS, signal });
  };
  return { name: `${kind} × ${times}`, run };
}

async function killApiServer({ plane, signal }: Scene): Promise<void> {
  const server = plane.component('kube-apiserver');
  await server.kill9();
  await server.restart(signal);
}
