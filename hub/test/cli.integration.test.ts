import { join } from 'node:path';
import {
  HUB_NAMESPACE,
  type ManagedCluster,
  type ManagedClusterModule,
  type ManifestWork,
  managedCluster,
} from '@kmm-hub/api-types';
import { checkout, tokenFor, writeKubeconfig } from '@kmm-hub/lab';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningProcess } from '../../lab/src/host/process.ts';
import type { Executor } from '../../queue/src/executors/executor.ts';
import { hearing } from '../../queue/test/hearing-executor.ts';
import { moduleImageName } from '../src/fleet/recipe.ts';
import { createSpoke, feedBack, playSpoke, type SpokeUsers } from './cli-spoke.ts';
import {
  addressOf,
  createUsers,
  kubectlKmm,
  kubectlPlugin,
  run,
  servingCertificate,
  startHubProcess,
  startKubectlKmm,
  type Users,
} from './cli-world.ts';
import {
  dockerfile,
  eventually,
  type HubWorld,
  images,
  joinCluster,
  moduleFor,
  modules,
  type Running,
  signal,
  startHubWorld,
  startWorker,
  works,
  writeDockerfile,
} from './hub-world.ts';

const KERNEL = '6.1.0-53-cloud-amd64';
const PROBLEM = 'hello.c:3:12: error: expected semicolon';

/** Runs in front of the real one, and holds the build of `held` until it is let go. */
type Gate = { wait: Promise<void>; open: () => void };

describe('kubectl-kmm, a hub, Redis and a worker', () => {
  let world: HubWorld;
  let hub: RunningProcess;
  let worker: Running;
  let users: Users;
  let gate: Gate;
  const imageOf = (name: string) => moduleImageName(`${world.registry.host}/${name}:${KERNEL}`);

  beforeAll(async () => {
    world = await startHubWorld();
    users = await createUsers(world);
    hub = await startHubProcess(world);
    gate = newGate();
    const executor: Executor = {
      async build(given, stopping) {
        given.onLog('the build begins');
        if (given.dockerfile.includes('# held')) await gate.wait;
        return hearing(world.executor).build(given, stopping); // every word of a build is asked for here
      },
    };
    worker = await startWorker(world, executor);
    await apply('broken', `RUN printf '\\033[31m${PROBLEM}\\033[0m\\n' && exit 1`);
    await eventually(
      () => world.admin.getIfPresent(images, { name: imageOf('broken') }, signal),
      (image) => image?.status?.phase === 'Failed',
    );
    const degraded = (module: ManagedClusterModule) =>
      module.status?.conditions?.some(({ reason }) => reason === 'BuildFailed') === true;
    await eventually(() => world.admin.get(modules, { name: 'broken' }, signal), degraded);
  });
  afterAll(async () => {
    gate?.open();
    await worker?.stop();
    await hub?.stop({ graceMs: 60_000 });
    await world?.stop();
  });

  /** A module that is built by these lines for one cluster, all of one name. */
  async function apply(name: string, ...lines: string[]): Promise<void> {
    await writeDockerfile(world.admin, name, dockerfile(world.base, ...lines));
    await joinCluster(world, { name, labels: { test: name }, kernels: [KERNEL] });
    await world.admin.create(modules, moduleFor(world, name, { build: { dockerfileConfigMap: { name } } }), signal);
  }

  const words = (text: string) => text.replace(/ +/g, ' ').split('\n');

  test('status shows the fleet, and one module cluster by cluster', async () => {
    const fleet = await kubectlKmm(world, 'status', '--kubeconfig', users.token);
    expect(fleet).toMatchObject({ code: 0, stderr: '' });
    expect(words(fleet.stdout)[0]).toBe('NAME CLUSTERS APPLIED AVAILABLE DEGRADED NODES IMAGES AGE REASON');
    expect(words(fleet.stdout)[1]).toMatch(/^broken 1 0 0 1 0\/0 0\/1 \d+\w* BuildFailed$/);
    const module = await kubectlKmm(world, 'status', 'broken', '--kubeconfig', users.token);
    expect(module).toMatchObject({ code: 0, stderr: '' });
    expect(words(module.stdout)).toEqual([
      'CLUSTER KERNELS IMAGE WORK NODES STATE REASON AGE',
      `broken ${KERNEL} Failed Missing 0/0 Degraded BuildFailed -`,
      '',
    ]);
  });

  test('kubectl has it as its plug-in', async () => {
    const ended = await kubectlPlugin(world, 'status', '--kubeconfig', users.token);
    expect(ended).toEqual({ code: 0, stderr: '', stdout: expect.stringMatching(/^NAME .*\nbroken /) });
    expect(await kubectlPlugin(world, 'stat')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("unknown command 'stat'"),
    });
  });

  test('status as JSON is data alone', async () => {
    const { stdout } = await kubectlKmm(world, 'status', 'broken', '-o', 'json', '--kubeconfig', users.token);
    expect(JSON.parse(stdout)).toMatchObject({
      module: 'broken',
      items: [{ cluster: 'broken', state: 'Degraded', reason: 'BuildFailed' }],
    });
  });

  test('status of a large fleet is read in pages and shown in part', async () => {
    const selected = { test: 'large' };
    const spec = { hubAcceptsClient: true };
    const clusters = Array.from(
      { length: 600 },
      (_, index): ManagedCluster => ({ metadata: { name: `c${index}`, labels: selected }, spec }),
    );
    await world.admin.create(modules, moduleFor(world, 'large'), signal);
    await Promise.all(clusters.map((cluster) => world.admin.create(managedCluster, cluster, signal)));
    const { code, stdout } = await kubectlKmm(world, 'status', 'large', '--limit', '5', '--kubeconfig', users.token);
    const lines = words(stdout).filter(Boolean);
    expect({ code, last: lines.at(-1), rows: lines.length }).toEqual({
      code: 0,
      last: '… and 595 more; --limit shows more of them',
      rows: 7,
    });
  });

  test('why names the first thing that is not right, the words of the compiler, and the remedy', async () => {
    const { code, stdout, stderr } = await kubectlKmm(world, 'why', 'broken', 'broken', '--kubeconfig', users.token);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^wrong <- +ModuleImage/${imageOf('broken')} +BuildFailed: `, 'm'));
    expect(stdout).toContain(`\nNot right: ModuleImage/${imageOf('broken')}\n`);
    expect(stdout).toContain(`  ${PROBLEM}\n`);
    expect(stdout).toContain(`\`kubectl kmm logs ${imageOf('broken')}\` shows what the worker did.`);
  });

  test('why for somebody without rights says which are missing', async () => {
    const { code, stdout } = await kubectlKmm(world, 'why', 'broken', 'broken', '--kubeconfig', users.nobody);
    expect(code).toBe(0);
    expect(stdout).toContain('you may not get managedclustermodules.hub.kmm.sigs.x-k8s.io');
    expect(stdout).toContain('Ask for ClusterRole kmm-hub-viewer');
    const status = await kubectlKmm(world, 'status', '--kubeconfig', users.nobody);
    expect(status).toMatchObject({ code: 1, stdout: '' });
    expect(status.stderr).toMatch(
      /^error: you may not list managedclustermodules\.hub\.kmm\.sigs\.x-k8s\.io on the hub\. Ask for .*\n$/,
    );
  });

  describe('why with a kubeconfig of the cluster', () => {
    const name = 'edge';
    const error = {
      reason: 'ModuleSignatureRejected',
      message: 'Key was rejected by service. Sign the module with a key that the node trusts.',
      nextAttempt: '2026-01-01T00:05:00Z',
    };
    let spoke: SpokeUsers;
    let work: ManifestWork;
    /** What is right, as far as the hub was told. */
    const rowsOfHub = () =>
      [
        ...['ManagedClusterModule/edge', 'ManagedCluster/edge', 'ManagedClusterModule/edge'],
        ...['ClusterInventory/edge/edge', 'ManagedClusterModule/edge', `ModuleImage/${moduleImageName(world.base)}`],
        ...['ManifestWork/edge/edge', 'ManifestWork/edge/edge', 'Module/openshift-kmm/edge'],
      ].map((object) => `ok ${object}`);

    beforeAll(async () => {
      spoke = await createSpoke(world, users.viewer);
      await joinCluster(world, { name, labels: { test: name }, kernels: [KERNEL] });
      const kernelMappings = [{ regexp: '^.+$', containerImage: world.base }];
      await world.admin.create(modules, moduleFor(world, name, { kernelMappings }), signal);
      const isSeen = ({ metadata, status }: ManagedClusterModule) => status?.observedGeneration === metadata.generation;
      await eventually(() => world.admin.get(modules, { name }, signal), isSeen);
      const ref = { namespace: name, name };
      await eventually(() => world.admin.getIfPresent(works, ref, signal), Boolean);
      work = await world.admin.get(works, ref, signal);
      await playSpoke(world, work, error);
    });
    beforeEach(() => feedBack(world, work, { available: 2, desired: 2 })); // from before n2 had its error

    /** By somebody who may read the hub alone. */
    async function why(...flags: string[]) {
      const ended = await kubectlKmm(world, 'why', name, name, '--kubeconfig', users.viewer, ...flags);
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      const [table = '', verdict] = ended.stdout.split('\n\n');
      const rows = words(table).slice(1);
      return {
        rows: rows.map((row) => /^\w+( <-)? \w+\/(of the cluster|\S+)/.exec(row)?.[0]),
        table: rows.join('\n'),
        verdict,
      };
    }

    test('names the error of a node that the hub was not told of, and the remedy', async () => {
      expect(await why()).toMatchObject({ rows: rowsOfHub(), verdict: 'Everything is right.\n' });
      const { rows, verdict } = await why('--spoke-kubeconfig', spoke.reader);
      expect(rows).toEqual([
        ...rowsOfHub(),
        ...['ok Module/openshift-kmm/edge', 'wrong <- NodeModulesConfig/n2', 'ok NodeModulesConfig/n1'],
      ]);
      expect(verdict).toBe(
        [
          'Not right: NodeModulesConfig/n2',
          `  kernel ${KERNEL}: ModuleSignatureRejected: ${error.message}`,
          'What to do:',
          '  Do what the message says. It is tried again at 2026-01-01T00:05:00Z.\n',
        ].join('\n'),
      );
    });

    test('reads the cluster with another context of the kubeconfig', async () => {
      const flags = ['--spoke-kubeconfig', spoke.bothContexts, '--spoke-context'];
      expect((await why(...flags, 'edge')).rows).toContain('wrong <- NodeModulesConfig/n2');
      expect((await why(...flags, 'hub')).rows).toContain('unknown <- Module/openshift-kmm/edge');
      // without --spoke-kubeconfig it is a context of the hub's
      const both = ['--kubeconfig', spoke.bothContexts, '--spoke-context', 'edge'];
      expect((await why(...both)).rows).toContain('wrong <- NodeModulesConfig/n2');
    });

    test.each<[string, () => string, { rows: string[]; message: string }]>([
      [
        'nothing there',
        () => users.nobody,
        {
          rows: ['unknown <- Module/openshift-kmm/edge', 'unknown Node/of the cluster'],
          message: 'you may not get modules.kmm.sigs.x-k8s.io in namespace openshift-kmm (on the cluster)',
        },
      ],
      [
        'no nodes there',
        () => spoke.withoutNodes,
        {
          rows: ['ok Module/openshift-kmm/edge', 'unknown <- Node/of the cluster'],
          message: 'you may not list nodes (on the cluster)',
        },
      ],
    ])(
      'tells somebody who may read %s what was not read, and goes on with the rest',
      async (_what, kubeconfig, wanted) => {
        const { rows, table, verdict } = await why('--spoke-kubeconfig', kubeconfig());
        expect(rows).toEqual([...rowsOfHub(), ...wanted.rows]);
        expect(table).toContain('Node/of the cluster you may not list nodes (on the cluster)');
        expect(verdict).toContain(
          [
            `\n  ${wanted.message}`,
            'What to do:',
            '  Give a kubeconfig of the cluster whose user has ClusterRole kmm-viewer there (deploy/rbac/kubectl-kmm.spoke.yaml).\n',
          ].join('\n'),
        );
      },
    );

    test('names the Module first when the hub was told', async () => {
      await feedBack(world, work, { available: 1, desired: 2, degraded: error });
      const { rows, verdict } = await why('--spoke-kubeconfig', spoke.reader);
      expect(rows.slice(rowsOfHub().length - 1)).toEqual([
        ...['wrong <- Module/openshift-kmm/edge', 'ok Module/openshift-kmm/edge'],
        ...['wrong NodeModulesConfig/n2', 'ok NodeModulesConfig/n1'],
      ]);
      expect(verdict).toContain('What to do:\n  See the NodeModulesConfigs of the nodes in the table.\n');
    });
  });

  test.each<['token' | 'certificate']>([['token'], ['certificate']])(
    'a user with a %s reads the log of a build that failed, without its colours',
    async (user) => {
      const byName = await kubectlKmm(world, 'logs', imageOf('broken'), '--kubeconfig', users[user]);
      expect(byName).toMatchObject({ code: 0, stderr: '' });
      const lines = byName.stdout.trimEnd().split('\n');
      expect(lines).toContain('the build begins');
      expect(lines).toContain(PROBLEM);
      expect(lines).toContainEqual(expect.stringMatching(/^== \S+Z Looking$/));
      expect(lines.at(-1)).toMatch(/^== \S+Z Failed: BuildFailed$/);
      expect(byName.stdout).not.toContain('\u001b');
      const byModule = await kubectlKmm(
        world,
        'logs',
        'broken',
        '--tail',
        '1',
        '--timestamps',
        '--kubeconfig',
        users[user],
      );
      expect(byModule.stdout.trimEnd()).toBe(lines.at(-1));
      const reference = `${world.registry.host}/broken:${KERNEL}`;
      const byReference = await kubectlKmm(world, 'logs', reference, '--tail', '1', '--kubeconfig', users[user]);
      expect(byReference.stdout.trimEnd()).toBe(lines.at(-1));
    },
  );

  test('a user without the right to logs is told which one is missing', async () => {
    const { code, stdout, stderr } = await kubectlKmm(world, 'logs', imageOf('broken'), '--kubeconfig', users.viewer);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^error: the hub refuses \(403\): user "system:serviceaccount:default:viewer" cannot get resource "moduleimages\/log" named "[0-9a-f]{40}" in API group "hub\.kmm\.sigs\.x-k8s\.io"\. Ask for ClusterRole kmm-hub-log-reader .*\n$/,
    );
  });

  test.each([
    ['a reference', 'r.example/none:1', /no log is kept of image [0-9a-f]{40}/],
    ['a word', 'none', /"none" names no image/],
  ])('an image that nobody knows by %s is told', async (_what, word, why) => {
    const { code, stderr } = await kubectlKmm(world, 'logs', word, '--kubeconfig', users.token);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(why) });
  });

  test('a followed log of a running build grows with it and ends with its result', async () => {
    await apply('held', '# held', 'RUN echo "compiled for $KERNEL_FULL_VERSION"');
    const image = imageOf('held');
    const follow = ['logs', image, '--follow', '--kubeconfig', users.token];
    await eventually(
      () => world.admin.getIfPresent(images, { name: image }, signal),
      (found) => found !== undefined,
    );
    const following = startKubectlKmm(world, ...follow);
    await eventually(
      async () => following.stdout(),
      (text) => text.includes('the build begins'),
    );
    expect(following.stdout()).not.toContain('compiled');
    gate.open();
    const { code, stdout, stderr } = await following.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`\ncompiled for ${KERNEL}\n`);
    const { status } = await eventually(
      () => world.admin.get(images, { name: image }, signal),
      (found) => found.status?.phase === 'Published',
    );
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(new RegExp(`^== \\S+Z Published: ${status?.digest}$`));
    const again = await kubectlKmm(world, ...follow);
    expect(again).toEqual({ code: 0, stdout, stderr: '' }); // over already: it ends at once
  });

  test('a follower who goes away is let go of', async () => {
    gate = newGate();
    await apply('left', '# held');
    const redis = new Redis(world.redis.url);
    const followers = async () =>
      ((await redis.client('LIST')) as string).split('\n').filter((line) => /cmd=xread/.test(line)).length;
    await eventually(
      () => world.admin.getIfPresent(images, { name: imageOf('left') }, signal),
      (found) => found !== undefined,
    );
    const before = await followers(); // BullMQ's own
    const following = startKubectlKmm(world, 'logs', 'left', '-f', '--kubeconfig', users.token);
    await eventually(followers, (count) => count > before);
    following.interrupt();
    expect(await following.ended).toMatchObject({ code: 130, stderr: '' });
    await eventually(followers, (count) => count === before);
    redis.disconnect();
    gate.open();
  });

  describe('the endpoint', () => {
    let address: Awaited<ReturnType<typeof addressOf>>;
    beforeAll(async () => {
      address = await addressOf(world);
    });
    type Proof = { token?: string; certificate?: { cert: string; key: string } };
    async function ask(path: string, { token, certificate }: Proof): Promise<{ status: number; text: string }> {
      const { url, ca } = address;
      const agent = new Agent({ connect: { ...(ca && { ca }), ...certificate } });
      try {
        const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
        const { statusCode, body } = await request(`${url}${path}`, { dispatcher: agent, headers, signal });
        return { status: statusCode, text: await body.text() };
      } finally {
        await agent.close();
      }
    }
    const token = () => tokenFor({ plane: world.plane, namespace: 'default', serviceAccount: 'token' });

    test.each<[string, () => Promise<Proof>]>([
      ['brings nothing', async () => ({})],
      ['brings a token that is none', async () => ({ token: 'x' })],
      [
        'brings the certificate of a server of the same authority',
        async () => ({ certificate: await servingCertificate(world) }),
      ],
    ])('does not know who %s, and tells nothing of what there is', async (_what, proof) => {
      for (const path of [`/logs/moduleimages/${imageOf('broken')}`, '/nothing']) {
        const { status, text } = await ask(path, await proof());
        expect([status, text]).toEqual([
          401,
          expect.stringMatching(/^the hub does not know who asks\. Give the bearer token /),
        ]);
      }
    });

    test('refuses a right that was taken away', async () => {
      const { plane } = world;
      const binding = ['clusterrolebinding', 'guest-logs'];
      await plane.kubectl(['create', 'serviceaccount', 'guest', '--namespace=default']);
      await plane.kubectl(['create', ...binding, '--clusterrole=kmm-hub-log-reader', '--serviceaccount=default:guest']);
      const guest = await tokenFor({ plane, namespace: 'default', serviceAccount: 'guest' });
      const read = async () => (await ask(`/logs/moduleimages/${imageOf('broken')}`, { token: guest })).status;
      await eventually(read, (status) => status === 200);
      await plane.kubectl(['delete', ...binding]);
      await eventually(read, (status) => status === 403);
    });

    test('lets one user follow eight logs at once, and another one when one of them ends', async () => {
      gate = newGate();
      await apply('busy', '# held');
      await eventually(
        () => world.admin.getIfPresent(images, { name: imageOf('busy') }, signal),
        (found) => found !== undefined,
      );
      const { url = '', ca = '' } = address;
      const agent = new Agent({ connect: { ca } });
      const headers = { authorization: `Bearer ${await token()}` };
      const path = `/logs/moduleimages/${imageOf('busy')}?follow=true`;
      const follow = () => request(`${url}${path}`, { dispatcher: agent, headers, signal });
      try {
        const followed = await Promise.all(Array.from({ length: 8 }, follow));
        expect(followed.map(({ statusCode }) => statusCode)).toEqual(Array(8).fill(200));
        const refused = await follow();
        const words = await refused.body.text();
        expect([refused.statusCode, words]).toEqual([
          429,
          expect.stringMatching(/^8 logs are followed at once already by /),
        ]);
        followed[0]?.body.destroy();
        const again = async () => {
          const answer = await follow();
          if (answer.statusCode === 429) await answer.body.dump();
          return answer;
        };
        followed[0] = await eventually(again, ({ statusCode }) => statusCode === 200);
        gate.open();
        for (const { body } of followed) expect(await body.text()).toMatch(/^== \S+Z Published: sha256:/m);
      } finally {
        gate.open();
        await agent.destroy();
      }
    });

    test.each([
      ['a path that is not served', '/metrics', 404],
      ['a name that is none', '/logs/moduleimages/A_B', 400],
      ['a parameter that is misspelt', '/logs/moduleimages/a?folow=true', 400],
      ['a number that is none', '/logs/moduleimages/a?tail=x', 400],
    ])('tells what it serves to who asks for %s', async (_what, path, wanted) => {
      const { status, text } = await ask(path, { token: await token() });
      expect([status, text]).toEqual([
        wanted,
        expect.stringContaining('It serves /logs/moduleimages/NAME?follow=true'),
      ]);
    });

    test('is not taken for the hub’s by who trusts another authority', async () => {
      const ca = world.plane.caFile;
      const { code, stderr } = await kubectlKmm(
        world,
        'logs',
        imageOf('broken'),
        '--hub-ca',
        ca,
        '--kubeconfig',
        users.token,
      );
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringMatching(/^error: the hub at https:\S+ does not answer: .*certificate.*--hub-url/),
      });
    });

    test('is found by its address where that is given', async () => {
      const local = `https://localhost:${new URL(address.url ?? '').port}`;
      const { code, stdout } = await kubectlKmm(
        world,
        'logs',
        'broken',
        '--tail',
        '1',
        '--hub-url',
        local,
        '--kubeconfig',
        users.token,
      );
      expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('Failed: BuildFailed') });
    });

    test.each([
      [
        'a port in use',
        () => ['--api-port', new URL(address.url ?? '').port],
        /^hub: --api-port \d+ cannot be used: .*\n$/,
      ],
      [
        'a certificate that is not there',
        () => ['--api-certificate', '/no.crt', '--api-key', '/no.key'],
        /^hub: --api-.* cannot be read: .*\n$/,
      ],
      [
        'a key without its certificate',
        () => ['--api-key', '/no.key'],
        /^hub: --api-certificate and --api-key belong together.*\n$/,
      ],
      ['an address that is none', () => ['--api-url', 'hub'], /^hub: --api-url hub is not used.*\n$/],
    ])('ends a hub that is given %s, with one line', async (_what, args, line) => {
      const common = ['--kubeconfig', world.kubeconfigs.hub, '--redis', world.redis.url, '--health-port', '0'];
      const ended = await run(join(checkout, 'hub/src/main.ts'), [...common, ...args()]);
      expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 2, stderr: expect.stringMatching(line) });
    });

    test('is published by the hub’s role, which may write no other ConfigMap', async () => {
      const may = async (...args: string[]) => {
        const as = `--as=system:serviceaccount:${HUB_NAMESPACE}:kmm-operator-hub-controller`;
        const answer = world.plane.kubectl(['auth', 'can-i', ...args, as, `--namespace=${HUB_NAMESPACE}`]);
        return (await answer.catch(() => 'no')).trim();
      };
      expect([
        await may('patch', 'configmaps/kmm-hub-api'),
        await may('patch', 'configmaps/other'),
        await may('create', 'configmaps'),
      ]).toEqual(['yes', 'no', 'no']);
    });
  });

  test('a context that does not exist and a user who is not known are told in one line', async () => {
    const file = ['--kubeconfig', users.token];
    const noContext = await kubectlKmm(world, 'status', '--context', 'none', ...file);
    expect(noContext).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: context "none" does not exist. See the names with `kubectl config get-contexts`.\n',
    });
    const named = await kubectlKmm(world, 'status', '--context', 'hub', ...file);
    expect(named.code).toBe(0);
    const stranger = await writeKubeconfig({ plane: world.plane, file: join(world.folder, 'stranger'), token: 'x' });
    const unknown = await kubectlKmm(world, 'status', '--kubeconfig', stranger);
    expect(unknown).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^error: the API server does not know you: .*Sign in again.*\n$/),
    });
  });
});

function newGate(): Gate {
  let open: () => void = () => undefined;
  const wait = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { wait, open };
}
