import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { debianPackages } from './debian.mjs';

/** The user `nobody`, who may read the checkout wherever it lies, and install nothing. */
const asNobody = [
  ...['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
  ...['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search', '--'],
];

let nothingInstalled: string;
beforeAll(() => {
  nothingInstalled = mkdtempSync(join(tmpdir(), 'kmm-dpkg-'));
});
afterAll(() => rmSync(nothingInstalled, { recursive: true, force: true }));

/** As that user (or as us, when we are not root either), on a machine on which dpkg knows of no package. */
function setUpWithoutRoot() {
  const command = ['env', `DPKG_ADMINDIR=${nothingInstalled}`, process.execPath, 'scripts/setup.mjs'];
  const [program = '', ...args] = process.getuid?.() === 0 ? [...asNobody, ...command] : command;
  return spawnSync(program, args, { encoding: 'utf8' });
}

test('without root, setting up installs nothing: it ends with the one command to run', () => {
  const { status, stdout, stderr } = setUpWithoutRoot();
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  const all = debianPackages.join(' ');
  expect(stderr).toBe(
    `Debian packages are missing: ${all}\nRun this once, then start again:\n` +
      `  sudo sh -c 'apt-get update && apt-get install --yes --no-install-recommends ${all}'\n`,
  );
});

test('that command is one that apt-get takes', () => {
  const [, install = ''] = /&& (apt-get .*)'/.exec(setUpWithoutRoot().stderr) ?? [];
  const tried = spawnSync('sh', ['-c', `${install} --simulate`], { encoding: 'utf8' });
  expect(tried.status, tried.stderr).toBe(0);
});
