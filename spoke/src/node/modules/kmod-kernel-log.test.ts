import { expect, test } from 'vitest';
import { hostTree } from '../features/test/host-tree.ts';
import { kernelWordsAbout } from './kmod-kernel-log.ts';

const SECOND = 1_000_000;
const log = (lines: readonly [atUs: number, text: string][]) => ({
  'dev/kmsg': lines.map(([atUs, text], sequence) => `6,${sequence},${atUs},-;${text}\n SUBSYSTEM=x\n`).join(''),
});

async function wordsOf(lines: readonly [number, string][], sinceUs = 0) {
  await using root = await hostTree(log(lines));
  return kernelWordsAbout(root.host, ['my-driver'], sinceUs);
}

test('takes the lines that name the module, in either spelling', async () => {
  const words = await wordsOf([
    [1, 'my_driver: Unknown symbol foo (err -2)'],
    [2, 'eth0: link up'],
    [3, 'my-driver 0000:00:01.0: no such device'],
    [4, 'my_driver2: probed'],
  ]);
  expect(words).toEqual(['my_driver: Unknown symbol foo (err -2)', 'my-driver 0000:00:01.0: no such device']);
});

test('takes the reasons of a refused signature, which name no module', async () => {
  const words = await wordsOf([
    [1, 'Loading of unsigned module is rejected'],
    [2, 'PKCS#7 signature not signed with a trusted key'],
    [3, 'Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7'],
    [4, 'Lockdown: Xorg: raw io port access is restricted; see man kernel_lockdown.7'],
  ]);
  expect(words).toHaveLength(3);
});

test('leaves out what is surely older, but not what two clocks may disagree about', async () => {
  const words = await wordsOf(
    [
      [10_000 * SECOND, 'my_driver: of an earlier attempt'],
      [99_995 * SECOND, 'my_driver: of this attempt'],
    ],
    100_000 * SECOND,
  );
  expect(words).toEqual(['my_driver: of this attempt']);
});

test('gives the last five, each once', async () => {
  const words = await wordsOf([1, 2, 3, 4, 5, 6, 6].map((n) => [n, `my_driver: line ${n}`]));
  expect(words).toEqual([2, 3, 4, 5, 6].map((n) => `my_driver: line ${n}`));
});

test('tells a log that says nothing from one that cannot be read', async () => {
  expect(await wordsOf([[1, 'eth0: link up']])).toEqual([]);
  await using root = await hostTree({});
  expect(await kernelWordsAbout(root.host, ['my-driver'], 0)).toBeUndefined();
});
