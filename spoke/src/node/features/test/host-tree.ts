import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Discovery, discoverFeatures } from '../discover.ts';
import type { FeatureSource } from '../feature-source.ts';
import { HostRoot } from '../host-root.ts';
import { FEATURE_LABEL_PREFIX } from '../labels.ts';
import { type FeatureOptions, featureDefaults } from '../options.ts';

/** Path → content. `-> target` makes a link; a path with a slash at the end a folder. */
export type Tree = Readonly<Record<string, string | Buffer>>;

export type HostTree = AsyncDisposable & { host: HostRoot; path: string };

/** A host root of its own with the files of `tree`; removed when disposed. */
export async function hostTree(tree: Tree): Promise<HostTree> {
  const path = await mkdtemp(join(tmpdir(), 'host-root-'));
  for (const [name, content] of Object.entries(tree)) {
    const file = join(path, name);
    await mkdir(name.endsWith('/') ? file : dirname(file), { recursive: true });
    const target = /^-> (.*)$/.exec(content.toString())?.[1];
    if (target !== undefined) await symlink(target, file);
    else if (!name.endsWith('/')) await writeFile(file, content);
  }
  return { host: new HostRoot(path), path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

export type Pass = { labels: Record<string, string>; features: Discovery['features']; failed: string[] };

/** One pass of one source over a tree; labels without NFD's prefix. */
export async function passOver(
  source: FeatureSource,
  tree: Tree,
  options: Partial<FeatureOptions> = {},
): Promise<Pass> {
  await using root = await hostTree(tree);
  const discovery = await discoverFeatures({
    host: root.host,
    sources: [source],
    options: { ...featureDefaults, nodeName: 'node-a', ...options },
    signal: AbortSignal.timeout(10_000),
  });
  const labels = Object.entries(discovery.labels).map(([key, value]) => [key.replace(FEATURE_LABEL_PREFIX, ''), value]);
  return {
    labels: Object.fromEntries(labels),
    features: discovery.features,
    failed: discovery.failures.map(({ source: name }) => name),
  };
}

/** `a b` → { a: 'true', b: 'true' } */
export function allTrue(names: string): Record<string, string> {
  return Object.fromEntries(
    names
      .split(' ')
      .filter(Boolean)
      .map((name) => [name, 'true']),
  );
}
