import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createRegistryClient, extractToMemory, pushLayout, type RegistryClient } from '@kmm-hub/oci';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type DockerRegistry, registryUser, startDockerRegistry } from '../../oci/test/docker-registry.ts';
import { createBuildahExecutor } from '../src/executors/buildah-executor.ts';
import { BuildFailedError } from '../src/executors/errors.ts';
import type { BuildRequest, Executor } from '../src/executors/executor.ts';
import { pushBusybox, pushDeviceNode, temporaryFolder } from './build-fixture.ts';
import { hearing } from './hearing-executor.ts';

describe('a build', () => {
  let registry: DockerRegistry;
  let client: RegistryClient;
  let folder: AsyncDisposable & { path: string };
  let executor: Executor & AsyncDisposable;
  let base: string;
  const never = new AbortController().signal;

  beforeAll(async () => {
    folder = await temporaryFolder();
    registry = await startDockerRegistry({ basicAuth: true });
    client = createRegistryClient({ auth: () => registryUser });
    base = `${registry.host}/base/busybox:1`;
    await pushBusybox(client, base);
    executor = createBuildahExecutor({
      folder: join(folder.path, 'storage'),
      maxCacheMiB: 200,
    });
  });
  afterAll(async () => {
    await executor?.[Symbol.asyncDispose]();
    await client?.close();
    await registry?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  const auth = Buffer.from(`${registryUser.username}:${registryUser.password}`).toString('base64');
  type Overrides = Partial<BuildRequest> & { executor?: Executor };
  async function build(lines: string[], { executor: by = executor, ...overrides }: Overrides = {}, signal = never) {
    const log: string[] = [];
    const workFolder = await mkdtemp(join(folder.path, 'work-'));
    const request: BuildRequest = {
      dockerfile: lines.join('\n'),
      buildArgs: {},
      secrets: {},
      registryAuth: JSON.stringify({ auths: { [registry.host]: { auth } } }),
      workFolder,
      timeoutMs: 250_000,
      network: 'none',
      onLog: (line) => log.push(line),
      ...overrides,
    };
    return { log, workFolder, result: await hearing(by).build(request, signal) };
  }

  test('makes an image layout of the last stage, from a base image named by a build argument', async () => {
    const dockerfile = [
      'ARG BASE',
      'FROM ${BASE} AS builder',
      'ARG KERNEL_FULL_VERSION',
      'RUN busybox mkdir -p /opt/lib && echo "for $KERNEL_FULL_VERSION" > /opt/lib/a.ko',
      'FROM scratch',
      'COPY --from=builder /opt /opt',
    ];
    const { result } = await build(dockerfile, { buildArgs: { BASE: base, KERNEL_FULL_VERSION: '6.1.0' } });
    const resolved = await client.resolve(base, never);
    expect(result).toMatchObject({ baseImages: { [base]: resolved?.digest }, memoryLimit: 'none' });
    const repository = `${registry.host}/built`;
    const digest = await pushLayout({ client, layoutFolder: result.layoutFolder, repository, signal: never });
    const image = await client.getManifest(`${repository}@${digest}`, never);
    const { files } = await extractToMemory({ client, image, roots: ['/'], signal: never });
    expect(files.map(({ path, content }) => [path, content.toString()])).toEqual([['opt/lib/a.ko', 'for 6.1.0\n']]);
  });

  test('reaches neither the registry on loopback nor any other network', async () => {
    const { log } = await build([
      `FROM ${base}`,
      `RUN busybox wget -T 3 -O- http://${registry.host}/v2/ 2>&1 || echo "refused"`,
      'RUN echo "interfaces: $(busybox ls /sys/class/net | busybox tr "\\n" " ")"; busybox ip addr 2>&1; exit 0',
      'RUN busybox nc -w 3 1.1.1.1 53 </dev/null 2>&1 || echo "no route"',
    ]);
    expect(log).toContain('refused');
    expect(log).toContain('no route');
    expect(log.filter((line) => /^\s+inet /.test(line))).toEqual([]);
  });

  test('sees and signals no process of the machine', async () => {
    const neighbour = spawn('sleep', ['300'], { stdio: 'ignore' });
    try {
      const { log } = await build([
        `FROM ${base}`,
        'RUN busybox ps -o pid,args',
        `RUN busybox kill -9 ${neighbour.pid} 2>&1 || echo "not killed"`,
      ]);
      expect(log).toContain('not killed');
      const processes = log.filter((line) => /^\s*\d+\s+\S/.test(line));
      expect(processes.length).toBeGreaterThan(0);
      expect(processes.filter((line) => !/buildah|busybox|\/bin\/sh/.test(line))).toEqual([]);
      expect(neighbour.exitCode).toBeNull();
    } finally {
      neighbour.kill('SIGKILL');
      await once(neighbour, 'exit');
    }
  });

  test('can neither change its root, make devices, mount nor use the shared memory of the machine', async () => {
    const shared = `/dev/shm/kmm-hub-test-${process.pid}`;
    await writeFile(shared, 'of the machine');
    try {
      const { log } = await build([
        `FROM ${base}`,
        'RUN busybox chroot / /bin/sh -c "echo changed root" 2>&1 || echo "no chroot"',
        'RUN busybox mknod /disk b 8 0 2>&1 || echo "no device"',
        'RUN busybox mkdir /m && busybox mount -t tmpfs x /m 2>&1 || echo "no mount"',
        'RUN busybox ls /proc/1/root/ 2>&1 || echo "no way through proc"',
        'RUN echo "shared memory: $(busybox ls -A /dev/shm)"',
      ]);
      const refusals = ['no chroot', 'no device', 'no mount', 'no way through proc', 'shared memory: '];
      expect(log).toEqual(expect.arrayContaining(refusals));
    } finally {
      await rm(shared);
    }
  });

  test('finds none of the machine’s devices in its /dev, only harmless ones', async () => {
    const { log } = await build([
      `FROM ${base}`,
      'RUN busybox find /dev -type b -o -type c | busybox sort | busybox xargs echo devices:',
      'RUN echo written > /dev/null && busybox head -c 1 /dev/urandom > /random && echo "they work"',
    ]);
    const harmless = ['full', 'null', 'pts/ptmx', 'random', 'tty', 'urandom', 'zero'].map((name) => `/dev/${name}`);
    expect(log).toContain(`devices: ${harmless.join(' ')}`);
    expect(log).toContain('they work');
  });

  test.each(['overlay', 'vfs'] as const)('cannot use a device node that its base image brings (%s)', async (driver) => {
    const image = `${registry.host}/base/${driver}:1`;
    await pushDeviceNode(client, image);
    const options = { folder: join(folder.path, `storage-${driver}`), maxCacheMiB: 200 };
    await using other = createBuildahExecutor({ ...options, ...(driver === 'vfs' && { driver }) });
    const lines = [`FROM ${image}`, 'RUN busybox ls /zero && busybox head -c 1 /zero 2>&1 || echo "not opened"'];
    const { log } = await build(lines, { executor: other });
    expect(log).toEqual(expect.arrayContaining(['/zero', 'not opened']));
  });

  test('reads its secrets, which reach neither the disk nor a build with other secrets', async () => {
    const lines = [
      `FROM ${base} AS reader`,
      'RUN busybox cp /run/secrets/build-token/token /seen',
      'FROM scratch',
      'COPY --from=reader /seen /seen',
    ];
    const seen: string[][] = [];
    for (const token of ['hunter2', 'hunter3']) {
      const { result, workFolder } = await build(lines, { secrets: { 'build-token': { token: Buffer.from(token) } } });
      expect(await readdir(join(workFolder, 'secrets'))).toEqual([]);
      const repository = `${registry.host}/secret`;
      const digest = await pushLayout({ client, layoutFolder: result.layoutFolder, repository, signal: never });
      const image = await client.getManifest(`${repository}@${digest}`, never);
      const { files } = await extractToMemory({ client, image, roots: ['/seen', '/run/secrets'], signal: never });
      seen.push(files.map(({ path, content }) => `${path}: ${content}`));
    }
    expect(seen).toEqual([['seen: hunter2'], ['seen: hunter3']]); // /seen is there because the Dockerfile puts it there
  });

  test('shows no secret that a step prints, neither in the log nor in the error', async () => {
    const secrets = { 'build-token': { token: Buffer.from('hunter2') } };
    const log: string[] = [];
    const lines = [`FROM ${base}`, 'RUN echo "got $(busybox cat /run/secrets/build-token/token)"; exit 3'];
    const failing = build(lines, { secrets, onLog: (line) => log.push(line) });
    await expect(failing).rejects.toMatchObject({ lastLines: expect.arrayContaining(['got ***']) });
    expect(log).toContain('got ***');
  });

  test('names the failing step and keeps the last lines', async () => {
    const failing = build([`FROM ${base}`, 'RUN echo "error: no headers" && exit 7']);
    await expect(failing).rejects.toBeInstanceOf(BuildFailedError);
    await expect(failing).rejects.toMatchObject({
      message: expect.stringContaining('exit 7'),
      lastLines: expect.arrayContaining(['error: no headers']),
      retry: 'never',
    });
  });

  test('names the base image that cannot be pulled', async () => {
    const missing = `${registry.host}/base/none:1`;
    await expect(build([`FROM ${missing}`])).rejects.toMatchObject({
      code: 'BaseImageUnavailable',
      message: expect.stringContaining(missing),
    });
  });

  test('gives back nothing of a base image without the credential', async () => {
    const anybody = build([`FROM ${base}`], { registryAuth: undefined });
    await expect(anybody).rejects.toMatchObject({ code: 'BaseImageUnavailable' });
  });

  test('ends at its time-out', async () => {
    const slow = build([`FROM ${base}`, 'RUN busybox sleep 300'], { timeoutMs: 2_000 });
    await expect(slow).rejects.toMatchObject({ code: 'BuildTimeout' });
  });

  test('takes everything it started with it when it is cancelled, and the next build works', async () => {
    const cancel = new AbortController();
    const reason = new Error('cancelled by the user');
    const marker = `${90_000 + Math.floor(Math.random() * 10_000)}`;
    const onLog = (line: string) => {
      if (line === 'started') cancel.abort(reason);
    };
    const lines = [
      `FROM ${base}`,
      `RUN (busybox setsid busybox sleep ${marker} &) ; echo started; busybox sleep ${marker}`,
    ];
    await expect(build(lines, { onLog }, cancel.signal)).rejects.toBe(reason);
    await allGone(marker);
    const { log } = await build([`FROM ${base}`, 'RUN echo "works again"']);
    expect(log).toContain('works again');
  });

  test('dies with the worker, even when that is killed', async () => {
    const marker = `${80_000 + Math.floor(Math.random() * 10_000)}`;
    const storage = join(folder.path, 'storage-of-killed');
    const workFolder = await mkdtemp(join(folder.path, 'work-'));
    const module = new URL('../src/executors/buildah-executor.ts', import.meta.url).href;
    const request = {
      dockerfile: `FROM ${base}\nRUN echo started; busybox sleep ${marker}`,
      registryAuth: JSON.stringify({ auths: { [registry.host]: { auth } } }),
      ...{ buildArgs: {}, secrets: {}, workFolder, timeoutMs: 250_000, network: 'none' },
    };
    const script = `
      const { createBuildahExecutor } = await import(${JSON.stringify(module)});
      const executor = createBuildahExecutor({ folder: ${JSON.stringify(storage)}, maxCacheMiB: 100 });
      await executor.build({ ...${JSON.stringify(request)}, onLog: console.log }, new AbortController().signal);`;
    const worker = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(worker, 'exit');
    for await (const line of createInterface(worker.stdout)) if (line === 'started') break;
    expect(await processesWith(`sleep ${marker}`)).not.toEqual([]);
    worker.kill('SIGKILL');
    await exited;
    await allGone(marker);
  });

  test('holds each process under the memory limit and says how', async () => {
    const allocate = [
      'RUN busybox dd if=/dev/zero of=/dev/null bs=600M count=1 && echo "allocated" || echo "out of memory"',
    ];
    const limited = await build([`FROM ${base}`, ...allocate], { memoryMiB: 400 });
    expect(limited.result.memoryLimit).toMatch(/^(?:cgroup|prlimit)$/);
    expect(limited.log).toContain('out of memory');
  });

  test('runs several at once', async () => {
    const builds = ['a', 'b', 'c'].map((name) => build([`FROM ${base}`, `RUN echo ${name} > /name`]));
    expect((await Promise.all(builds)).map(({ result }) => typeof result.layoutFolder)).toEqual(
      Array(3).fill('string'),
    );
  });
});

/** The kernel ends a process tree in its own time. */
async function allGone(text: string): Promise<void> {
  await vi.waitFor(async () => expect(await processesWith(text)).toEqual([]), { timeout: 120_000 });
}

async function processesWith(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''); // gone meanwhile
    if (line.replaceAll('\0', ' ').includes(text)) found.push(line);
  }
  return found;
}
