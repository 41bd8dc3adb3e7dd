import type { HostRoot } from './host-root.ts';
import type { FeatureOptions } from './options.ts';

/**
 * What a node is, in NFD's three forms. Keys are `<source>.<set>`, such as `cpu.cpuid`; a set that is absent could not be
 * discovered, an empty one was looked at and has nothing.
 */
export type RawFeatures = {
  flags?: Record<string, readonly string[]>;
  attributes?: Record<string, Readonly<Record<string, string>>>;
  instances?: Record<string, readonly Readonly<Record<string, string>>[]>;
};

/** `failures`: parts of the source that could not be read while the rest stands. */
export type Discovered = RawFeatures & { failures?: unknown[] };

/** Label name → value. A name without `/` gets `feature.node.kubernetes.io/<source>-` in front. */
export type SourceLabels = Record<string, string>;

/** One kind of facts about a node. */
export interface FeatureSource {
  readonly name: string;
  /** Reads below `host` only and changes nothing. Throws when the source as a whole cannot be read. */
  discover(host: HostRoot, options: FeatureOptions, signal: AbortSignal): Promise<Discovered>;
  /** The labels that follow from what was discovered. Pure. */
  labels(features: RawFeatures, options: FeatureOptions): SourceLabels;
}

/**
 * Runs the parts of a source; one that fails is reported and does not silence the others.
 * @returns the sets of all parts together
 */
export async function discoverParts(parts: readonly Promise<RawFeatures>[]): Promise<Discovered> {
  const all: Required<Discovered> = { flags: {}, attributes: {}, instances: {}, failures: [] };
  for (const part of await Promise.allSettled(parts)) {
    if (part.status === 'rejected') {
      if (!all.failures.includes(part.reason)) all.failures.push(part.reason); // parts may share a file
      continue;
    }
    Object.assign(all.flags, part.value.flags);
    Object.assign(all.attributes, part.value.attributes);
    Object.assign(all.instances, part.value.instances);
  }
  return all;
}

/** The elements that have a value. */
export function present(elements: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(elements).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}
