import { join } from 'node:path';
import { HUB_NAMESPACE, type ManagedClusterModule, managedCluster } from '@kmm-hub/api-types';
import { createLogger, Reflector } from '@kmm-hub/kube';
import { tokenFor, writeKubeconfig } from '@kmm-hub/lab';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiGate, startApiGate, type Write } from './api-gate.ts';
import { type HubProcess, startHubProcess, untilReady } from './hub-process.ts';
import { eventually, type HubWorld, joinCluster, modules, signal, startHubWorld, works } from './hub-world.ts';

const MODULE = 'paused';
/** Fewer than the hub works on at once. */
const EDITED = Array.from({ length: 24 }, (_, index) => `edited-${index}`);

describe('a leader that is paused past its lease', () => {
  let world: HubWorld;
  /** What the old leader sends goes through it. */
  let gate: ApiGate;
  let old: HubProcess;
  let next: HubProcess;
  /** Every write of a work that the API server took, whoever sent it. */
  let landed: string[];
  let ended: AbortController;

  beforeEach(async () => {
    landed = [];
    ended = new AbortController();
    world = await startHubWorld();
    gate = await startApiGate(world.plane, world.folder);
    follow();
    old = await startHubProcess(world, await kubeconfigThrough(gate));
    await untilReady(old, 'ok: leader');
    next = await startHubProcess(world);
    await untilReady(next, 'ok: standby');
  });
  afterEach(async () => {
    ended.abort();
    await old?.stop();
    await next?.stop();
    await gate?.stop();
    await world?.stop();
  });

  function follow(): void {
    const log = createLogger({ process: 'test', level: 'silent', pretty: false });
    const reflector = new Reflector({ client: world.admin, resource: works, log });
    reflector.cache.onChange(({ old: before, current }) => {
      const what = current === undefined ? 'deleted' : before === undefined ? 'created' : 'changed';
      landed.push(`${what} ${(current ?? before)?.metadata.namespace}`);
    });
    void reflector.run(ended.signal);
  }

  async function kubeconfigThrough({ url, caPem }: ApiGate): Promise<string> {
    const account = { namespace: HUB_NAMESPACE, serviceAccount: 'kmm-operator-hub-controller' };
    const token = await tokenFor({ plane: world.plane, ...account });
    const file = join(world.folder, 'through-gate.kubeconfig');
    return writeKubeconfig({ plane: { name: 'gate', url, caPem }, file, namespace: HUB_NAMESPACE, token });
  }

  const joins = (name: string) => joinCluster(world, { name, labels: { test: MODULE }, kernels: [] });
  /** Waits for these writes; what landed beside them is left for the end. */
  const untilLanded = (...wanted: string[]) =>
    eventually(
      async () => landed,
      (all) => wanted.every((write) => all.includes(write)),
    );
  const writesOfWorks = () =>
    gate.writes.flatMap(({ method, path }) => {
      const [, cluster] = /\/namespaces\/([^/]+)\/manifestworks/.exec(path) ?? [];
      return cluster === undefined ? [] : `${method} ${cluster}`;
    });

  const untilTried = (...wanted: string[]) =>
    eventually(
      async () => writesOfWorks(),
      (tried) => wanted.every((write) => tried.includes(write)),
    );
  const label = (cluster: string, labels: Record<string, string | null>) =>
    world.admin.patch(managedCluster, { ref: { name: cluster }, patch: { metadata: { labels } } }, signal);

  /**
   * The old leader has a write under way for every cluster, and knows that each needs another one. It gets all answers at once
   * and is stopped when the first of the new writes comes: the others are the first thing it does when it goes on, before any
   * timer tells it that its time is over.
   */
  async function pauseInTheMiddle(): Promise<void> {
    gate.treat = (write) => (isOfLease(write) ? 'pass' : 'hold');
    const { spec } = deviceModule('r.example/plugin:2');
    await world.admin.patch(modules, { ref: { name: MODULE }, patch: { spec } }, signal);
    await untilTried(...[...EDITED, 'left'].map((name) => `PUT ${name}`));
    await Promise.all([...EDITED.map((name) => label(name, { seen: 'yes' })), label('left', { test: null })]);
    await joins('joined');
    await untilTried('POST joined'); // by then it has seen the changes before, too
    old.kill('SIGSTOP');
    gate.refuseHeld();
    const paused = new Promise<void>((resolve) => {
      gate.treat = (write) => {
        if (isOfLease(write)) return 'pass';
        old.kill('SIGSTOP');
        resolve();
        return 'refuse';
      };
    });
    old.kill('SIGCONT');
    await Promise.race([paused, old.exited]);
  }

  test('sends nothing when it goes on, and the one that replaced it does what was left, once', async () => {
    const before = [...EDITED, 'left'];
    await Promise.all(before.map(joins));
    await world.admin.create(modules, deviceModule('r.example/plugin:1'), signal);
    await untilLanded(...before.map((name) => `created ${name}`));
    await pauseInTheMiddle();
    await untilReady(next, 'ok: leader');
    const done = [...EDITED.map((name) => `changed ${name}`), 'deleted left', 'created joined'];
    await untilLanded(...done);
    gate.treat = () => 'pass'; // whatever it sends from now on would be done
    const sent = gate.writes.length;
    old.kill('SIGCONT');
    expect(await old.exited).toEqual({ code: 1, signal: null });
    expect(await old.lastWords()).toEqual([
      expect.stringMatching(/^hub: lease \S+ is lost: (it was not renewed in time|another instance holds it)\. /),
    ]);
    await joins('behind'); // all that could still come
    await untilLanded('created behind');
    expect(gate.writes.slice(sent)).toEqual([]);
    expect([...landed].sort()).toEqual([...before.map((name) => `created ${name}`), ...done, 'created behind'].sort());
  });
});

function isOfLease({ path }: Write): boolean {
  return /\/leases(\/|$)/.test(path);
}

/** A module whose works need no image, so that no worker is waited for. */
function deviceModule(image: string): ManagedClusterModule {
  const moduleSpec = { selector: {}, devicePlugin: { container: { image } } };
  return {
    metadata: { name: MODULE },
    spec: { spokeNamespace: 'openshift-kmm', selector: { test: MODULE }, moduleSpec },
  };
}
