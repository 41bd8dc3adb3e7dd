import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DemoResult } from '../src/demo/report.ts';
import { checkout } from '../src/host/config.ts';

/** The demo as a user runs it, behind the set-up that `npm test` has done already. */
describe('the demo', () => {
  let exitCode: number | undefined;
  let stdout = '';
  let result: DemoResult;

  beforeAll(async () => {
    const run = await execa(process.execPath, [join(checkout, 'lab/src/demo.ts'), '--json'], {
      cwd: checkout,
      reject: false,
      timeout: 580_000,
    });
    exitCode = run.exitCode;
    stdout = run.stdout;
    const last = run.stdout.trimEnd().split('\n').at(-1) ?? '';
    if (!last.startsWith('{')) throw new Error(`the demo ended without a result:\n${run.stdout}\n${run.stderr}`);
    result = JSON.parse(last) as DemoResult;
  });

  test('verifies every step and ends with exit code 0', () => {
    expect(result.steps.filter(({ ok }) => !ok)).toEqual([]);
    expect({ ok: result.ok, exitCode }).toEqual({ ok: true, exitCode: 0 });
  });

  test('builds once and writes one work for one kernel on one cluster', () => {
    expect({ builds: result.builds, works: result.works }).toEqual({ builds: 1, works: 1 });
  });

  test('loads the signed module, which prints its parameter to the log of a real kernel', () => {
    expect(result.nodes).toEqual([
      {
        cluster: 'spoke-a',
        node: 'node-a1',
        kernel: expect.stringMatching(/^6\.1\.\d+-\d+-cloud-/),
        secureBoot: false,
        digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        state: 'Loaded',
        says: 'hello_kmod: hello-from-the-hub',
      },
    ]);
  });

  test('shows the table to a person', () => {
    expect(stdout).toMatch(/^CLUSTER +NODE +KERNEL +IMAGE +STATE +KERNEL LOG SAYS/m);
    expect(stdout).toMatch(/^spoke-a +node-a1 +6\.1\.\S+ +sha256:\w{12} +Loaded +hello_kmod: hello-from-the-hub/m);
  });
});
