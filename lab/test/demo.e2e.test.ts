import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DemoResult } from '../src/demo/report.ts';
import { checkout } from '../src/host/config.ts';

/** Some 80 s on an idle machine of two cores. */
const LIMIT_MS = 1_500_000;

const kernels = { '6.1': /^6\.1\.\d+-\d+-cloud-/, '6.12': /^6\.12\.\d+\+\S+-cloud-/ };

/** The demo as a user runs it, behind the set-up that `npm test` has done already. */
describe('the demo', () => {
  let exitCode: number | undefined;
  let stdout = '';
  let result: DemoResult;

  beforeAll(async () => {
    const run = await execa(process.execPath, [join(checkout, 'lab/src/demo.ts'), '--json'], {
      cwd: checkout,
      reject: false,
      timeout: LIMIT_MS - 60_000,
    });
    exitCode = run.exitCode;
    stdout = run.stdout;
    const last = run.stdout.trimEnd().split('\n').at(-1) ?? '';
    if (!last.startsWith('{')) throw new Error(`the demo ended without a result:\n${run.stdout}\n${run.stderr}`);
    result = JSON.parse(last) as DemoResult;
  }, LIMIT_MS);

  const says = (step: string) => {
    const found = result.steps.filter(({ name }) => name.includes(step));
    expect(found, step).toHaveLength(1);
    return found[0]?.says;
  };

  test('verifies every step and ends with exit code 0', () => {
    expect(result.steps.filter(({ ok }) => !ok)).toEqual([]);
    expect({ ok: result.ok, exitCode }).toEqual({ ok: true, exitCode: 0 });
  });

  test('builds once for each kernel and writes one work for each cluster', () => {
    expect({ builds: result.builds, works: result.works }).toEqual({ builds: 2, works: 2 });
  });

  test('loads the signed module on all nodes, under Secure Boot too, where it prints its parameter', () => {
    const loaded = { state: 'Loaded', says: 'hello_kmod: hello-from-the-hub' };
    const digest = expect.stringMatching(/^sha256:[0-9a-f]{64}$/);
    const on = (series: keyof typeof kernels) => ({
      kernel: expect.stringMatching(kernels[series]),
      digest,
      ...loaded,
    });
    expect(result.nodes).toEqual([
      { cluster: 'spoke-a', node: 'node-a1', secureBoot: false, ...on('6.1') },
      { cluster: 'spoke-a', node: 'node-a2', secureBoot: false, ...on('6.12') },
      { cluster: 'spoke-b', node: 'node-b1', secureBoot: true, ...on('6.1') },
    ]);
  });

  test('gives the nodes of one kernel one image', () => {
    const [a1, a2, b1] = result.nodes.map(({ digest }) => digest);
    expect(b1).toBe(a1);
    expect(a2).not.toBe(a1);
  });

  test('loads the module again, and builds nothing, when a node comes back with another kernel', () => {
    expect(says('reboots into 6.12')).toMatch(kernels['6.12']);
    expect(says('nothing is built')).toMatch(
      /^spoke-a has 2 nodes with 6\.12\.\S+, still 2 builds; node-a1 says hello_kmod: hello-from-the-hub$/,
    );
  });

  test('tells in the words of the kernel that Secure Boot refuses an unsigned module', () => {
    expect(says('Secure Boot refuses')).toMatch(
      /^ModuleSignatureRejected: .*node-b1: .*Key was rejected by service.*Loading of unsigned module is rejected/,
    );
  });

  test('tells in the words of the compiler why a build failed, and builds when the ConfigMap is mended', () => {
    expect(says('does not compile')).toMatch(/^BuildFailed: \S+typo_kmod\.c:\d+:\d+: error: expected ';'/);
    expect(says('ConfigMap is mended')).toBe('node-b1 says typo_kmod: hello-from-the-hub');
  });

  test('leaves nothing behind when everything is deleted', () => {
    expect(result.steps.at(-1)).toMatchObject({ name: expect.stringContaining('nothing left'), ok: true });
  });

  test('shows the table to a person', () => {
    expect(stdout).toMatch(/^CLUSTER +NODE +KERNEL +SECURE BOOT +IMAGE +STATE +KERNEL LOG SAYS/m);
    expect(stdout).toMatch(/^spoke-b +node-b1 +6\.1\.\S+ +yes +sha256:\w{12} +Loaded +hello_kmod: hello-from-the-hub/m);
  });
});
