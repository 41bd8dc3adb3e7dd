import { HubError } from '@kmm-hub/api-types';
import { parse } from 'smol-toml';
import type { Mirror, MirrorRule, MirrorUse } from './mirrors.ts';

/** A registries.conf or a mirror set that does not say clearly where images are. */
export class MirrorRulesError extends HubError {
  override readonly name = 'MirrorRulesError';
  readonly code = 'InvalidMirrorRules';
  readonly retry = 'never';
  readonly remedy = 'Compare the file with containers-registries.conf(5), or the object with `oc explain`.';
}

/** `spec` of config.openshift.io/v1 ImageDigestMirrorSet and ImageTagMirrorSet. */
export type MirrorSetSpec = {
  imageDigestMirrors?: readonly MirrorSet[];
  imageTagMirrors?: readonly MirrorSet[];
};
export type MirrorSet = {
  source: string;
  mirrors?: readonly string[];
  mirrorSourcePolicy?: 'AllowContactingSource' | 'NeverContactSource';
};

/**
 * The rules of a registries.conf of version 2. Settings that have nothing to do with pulling (short names, credential
 * helpers) are passed over. Throws MirrorRulesError.
 */
export function readRegistriesConf(text: string): MirrorRule[] {
  const { registry = [] } = parseToml(text);
  if (!Array.isArray(registry)) throw new MirrorRulesError('registry is not a list: write [[registry]]');
  return registry.map((entry, index) => readRegistry(asTable(entry), `registry ${index + 1}`));
}

/**
 * The rules of mirror sets, as OpenShift writes them into the registries.conf of its nodes: sets for one source are
 * joined, and one that must never be contacted is blocked.
 */
export function mirrorSetRules(specs: readonly MirrorSetSpec[]): MirrorRule[] {
  const rules = new Map<string, MirrorRule>();
  const add = (use: MirrorUse, { source, mirrors = [], mirrorSourcePolicy }: MirrorSet) => {
    const known = rules.get(source);
    const added = mirrors.map((location): Mirror => ({ location, use, insecure: false }));
    rules.set(source, {
      prefix: source,
      mirrors: [...(known?.mirrors ?? []), ...added],
      insecure: false,
      blocked: known?.blocked === true || mirrorSourcePolicy === 'NeverContactSource',
    });
  };
  for (const { imageDigestMirrors = [], imageTagMirrors = [] } of specs) {
    for (const set of imageDigestMirrors) add('digest-only', set);
    for (const set of imageTagMirrors) add('tag-only', set);
  }
  return [...rules.values()];
}

type Table = Record<string, unknown>;

function readRegistry(table: Table, where: string): MirrorRule {
  const location = text(table, 'location', where);
  const prefix = text(table, 'prefix', where) ?? location;
  if (!prefix) throw new MirrorRulesError(`${where} has neither prefix nor location`);
  if (location === undefined && !prefix.startsWith('*.')) throw new MirrorRulesError(`${where} has no location`);
  const digestOnly = flag(table, 'mirror-by-digest-only', where);
  const mirrors = table.mirror ?? [];
  if (!Array.isArray(mirrors))
    throw new MirrorRulesError(`mirror of ${where} is not a list: write [[registry.mirror]]`);
  return {
    prefix,
    location: prefix === location ? undefined : location,
    mirrors: mirrors.map((entry) => readMirror(asTable(entry), { digestOnly, where: `a mirror of ${where}` })),
    insecure: flag(table, 'insecure', where),
    blocked: flag(table, 'blocked', where),
  };
}

function readMirror(table: Table, { digestOnly, where }: { digestOnly: boolean; where: string }): Mirror {
  const location = text(table, 'location', where);
  if (!location) throw new MirrorRulesError(`${where} has no location`);
  const use = text(table, 'pull-from-mirror', where) || undefined;
  if (use !== undefined && digestOnly) {
    throw new MirrorRulesError(
      `${where} has pull-from-mirror, and its registry mirror-by-digest-only: only one may be set`,
    );
  }
  if (use !== undefined && !isUse(use)) throw new MirrorRulesError(`pull-from-mirror of ${where} is not known`);
  return { location, use: use ?? (digestOnly ? 'digest-only' : 'all'), insecure: flag(table, 'insecure', where) };
}

function isUse(value: string): value is MirrorUse {
  return value === 'all' || value === 'digest-only' || value === 'tag-only';
}

function parseToml(content: string): Table {
  try {
    return parse(content);
  } catch (cause) {
    throw new MirrorRulesError('registries.conf is not TOML', { cause });
  }
}

function asTable(value: unknown): Table {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Table;
  throw new MirrorRulesError('registries.conf holds something else where a table belongs');
}

/** Locations may end in a slash, which is not part of them. */
function text(table: Table, key: string, where: string): string | undefined {
  const value = table[key];
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw new MirrorRulesError(`${key} of ${where} is not a text`);
  return value.replace(/\/+$/, '');
}

function flag(table: Table, key: string, where: string): boolean {
  const value = table[key] ?? false;
  if (typeof value !== 'boolean') throw new MirrorRulesError(`${key} of ${where} is neither true nor false`);
  return value;
}
