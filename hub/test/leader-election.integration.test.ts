import { HUB_NAMESPACE, kubeEvent, lease } from '@kmm-hub/api-types';
import { createLogger, Reflector } from '@kmm-hub/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { moduleImageName } from '../src/fleet/recipe.ts';
import { type HubProcess, startHubProcess, untilReady } from './hub-process.ts';
import {
  eventually,
  type HubWorld,
  images,
  joinCluster,
  moduleFor,
  modules,
  signal,
  startHubWorld,
} from './hub-world.ts';

const KERNEL = '6.1.0-53-cloud-amd64';
const LEASE = 'kmm-hub.sigs.x-k8s.io';

// one story: each test goes on from where the one before it left the instances
describe('hubs in one namespace', () => {
  let world: HubWorld;
  let first: HubProcess;
  let second: HubProcess;
  const started: HubProcess[] = [];
  const ended = new AbortController();
  /** Who held the lease, one after the other; '' means that it was given back. */
  const holders: string[] = [];

  beforeAll(async () => {
    world = await startHubWorld();
    const log = createLogger({ process: 'test', level: 'silent', pretty: false });
    const leases = new Reflector({ client: world.admin, resource: lease, select: { namespace: HUB_NAMESPACE }, log });
    leases.cache.onChange(({ current }) => {
      const holder = current?.spec?.holderIdentity ?? 'nobody';
      if (current?.metadata.name === LEASE && holders.at(-1) !== holder) holders.push(holder);
    });
    void leases.run(ended.signal);
    first = await startInstance();
    await untilReady(first, 'ok: leader');
    second = await startInstance();
    await untilReady(second, 'ok: standby');
  });
  afterAll(async () => {
    ended.abort();
    await Promise.all(started.map((instance) => instance.stop()));
    await world?.stop();
  });

  async function startInstance(): Promise<HubProcess> {
    const instance = await startHubProcess(world);
    started.push(instance);
    return instance;
  }

  async function holder(): Promise<string> {
    const { spec } = await world.admin.get(lease, { namespace: HUB_NAMESPACE, name: LEASE }, signal);
    return spec?.holderIdentity ?? '';
  }

  async function expectImageOf(name: string): Promise<void> {
    await joinCluster(world, { name, labels: { test: name }, kernels: [KERNEL] });
    await world.admin.create(modules, moduleFor(world, name), signal);
    const id = moduleImageName(`${world.registry.host}/${name}:${KERNEL}`);
    const found = () => world.admin.getIfPresent(images, { name: id }, signal);
    expect((await eventually(found, (image) => image !== undefined))?.spec.kernelVersion).toBe(KERNEL);
  }

  test('one leads and acts, the other follows, is ready and does nothing', async () => {
    await expectImageOf('one');
    const seen = 'kmm_hub_watch_events_total{resource="moduleimages",type="ADDED"} 1';
    const metricsOf = ({ metrics }: HubProcess) => eventually(metrics, (text) => text.includes(seen));
    const [leading, following] = await Promise.all([metricsOf(first), metricsOf(second)]);
    expect(leading).toContain(`leader_election_master_status{name="${LEASE}"} 1`);
    expect(following).toContain(`leader_election_master_status{name="${LEASE}"} 0`);
    expect(linesOf(following, /^workqueue_work_duration_seconds_count/)).toEqual([]);
    expect(linesOf(following, /^rest_client_requests_total.*method="(POST|PUT|PATCH|DELETE)"/)).toEqual([]);
  });

  test('the leader’s metrics show its queues, its requests and its watches', async () => {
    const wanted = [
      /^workqueue_depth\{name="module-images"\} \d/m,
      /^workqueue_adds_total\{name="module-images"\} [1-9]/m,
      /^workqueue_queue_duration_seconds_count\{name="module-images"\} [1-9]/m,
      /^workqueue_work_duration_seconds_count\{name="module-images"\} [1-9]/m,
      /^workqueue_retries_total\{name="module-images"\} \d/m,
      /^rest_client_requests_total\{code="201",host="127.0.0.1:\d+",method="POST"\} [1-9]/m,
      /^rest_client_request_duration_seconds_count\{host="127.0.0.1:\d+",verb="GET"\} [1-9]/m,
      /^kmm_hub_lists_total\{resource="managedclustermodules"\} [1-9]/m,
      /^kmm_hub_watches_total\{resource="managedclustermodules"\} [1-9]/m,
      /^kmm_hub_reconcile_total\{controller="module-images",result="(success|requeue)"\} [1-9]/m,
    ];
    const missing = async () => {
      const text = await first.metrics();
      return wanted.filter((series) => !series.test(text)).map(String);
    };
    expect(await eventually(missing, ({ length }) => length === 0)).toEqual([]);
  });

  test('a leader that is told to stop gives the lease back, and the other one leads', async () => {
    const before = await holder();
    expect(await first.stop({ graceMs: 30_000 })).toEqual({ code: 0, signal: null });
    await untilReady(second, 'ok: leader');
    const handedOver = () => holders.slice(holders.lastIndexOf(before));
    await eventually(
      async () => handedOver(),
      ({ length }) => length === 3,
    );
    expect(handedOver()).toEqual([before, '', expect.not.stringMatching(`^(${before})?$`)]);
    await expectImageOf('two');
  });

  test('a leader that is killed is replaced once its lease has run out', async () => {
    const third = await startInstance();
    await untilReady(third, 'ok: standby');
    const before = await holder();
    second.kill('SIGKILL');
    await second.exited;
    await untilReady(third, 'ok: leader');
    const handedOver = () => holders.slice(holders.lastIndexOf(before));
    await eventually(
      async () => handedOver(),
      ({ length }) => length === 2,
    );
    expect(handedOver()).toEqual([before, expect.not.stringMatching(`^(${before})?$`)]);
    await expectImageOf('three');
    first = third;
  });

  test('each change of the leader is an Event on the lease', async () => {
    const leaders = async () => {
      const { items } = await world.admin.list(kubeEvent, { namespace: HUB_NAMESPACE }, signal);
      return items.map(({ reason, involvedObject: { kind, name }, message }) => ({ reason, kind, name, message }));
    };
    const events = await eventually(leaders, ({ length }) => length === 3);
    const about = { reason: 'LeaderElection', kind: 'Lease', name: LEASE };
    const ids = [...new Set(holders.filter((holder) => holder !== ''))];
    expect(events).toEqual(
      expect.arrayContaining(ids.map((identity) => ({ ...about, message: `${identity} became leader` }))),
    );
  });

  test('a leader that loses its lease ends with one line, and writes nothing more', async () => {
    const taken = { spec: { holderIdentity: 'somebody-else' } };
    await world.admin.patch(lease, { ref: { namespace: HUB_NAMESPACE, name: LEASE }, patch: taken }, signal);
    expect(await first.exited).toEqual({ code: 1, signal: null });
    expect(await first.lastWords()).toEqual([
      expect.stringMatching(`^hub: lease ${LEASE} is lost: another instance holds it\\. `),
    ]);
    expect(await holder()).toBe('somebody-else');
  });
});

function linesOf(text: string, pattern: RegExp): string[] {
  return text.split('\n').filter((line) => pattern.test(line));
}
