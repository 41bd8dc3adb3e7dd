import { existsSync } from 'node:fs';
import { HubError } from '@kmm-hub/api-types';
import { runCommand } from '../host/command.ts';

/** The machine's apt knows no Debian archive, so nothing can be installed from one. */
export class NoDebianSourcesError extends HubError {
  override readonly name = 'NoDebianSourcesError';
  readonly code = 'NoDebianSources';
  readonly retry = 'never';
  readonly remedy = 'Add Debian to /etc/apt/sources.list and run `sudo apt-get update`.';
  constructor() {
    super("apt's sources on this machine hold no Debian archive");
  }
}

/** `suite`: codename of the release, e.g. `bookworm`. `sources`: one-line entries of sources.list(5). */
export type DebianSources = { suite: string; sources: string[] };

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const FORMAT = '$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)';

/** The Debian archives among this machine's apt sources, updates and security included. Throws NoDebianSourcesError. */
export async function debianSources(signal: AbortSignal): Promise<DebianSources> {
  const targets = await runCommand('apt-get', ['indextargets', '--format', FORMAT, 'Created-By: Packages'], { signal });
  return parseIndexTargets(targets, existsSync(KEYRING) ? KEYRING : undefined);
}

/** Reads lines `Debian|<uri>|bookworm-updates|main`. The release is the one without a suffix. */
export function parseIndexTargets(text: string, keyring: string | undefined): DebianSources {
  const options = keyring === undefined ? '' : `[signed-by=${keyring}] `;
  const entries = text.split('\n').flatMap((line) => {
    const [origin, uri, release = '', component] = line.split('|');
    return origin === 'Debian' ? [{ release, source: `deb ${options}${uri} ${release} ${component}` }] : [];
  });
  const suite = entries.find(({ release }) => !release.includes('-'))?.release;
  if (suite === undefined) throw new NoDebianSourcesError();
  return { suite, sources: [...new Set(entries.map(({ source }) => source))] };
}
