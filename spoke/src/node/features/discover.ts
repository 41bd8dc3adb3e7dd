import type { Features } from '@kmm-hub/api-types';
import { isLabelKey, isLabelValue } from '@kmm-hub/rules';
import type { Discovered, FeatureSource, RawFeatures } from './feature-source.ts';
import type { HostRoot } from './host-root.ts';
import { FeatureSourceTimeoutError } from './host-root-errors.ts';
import { featureLabel } from './labels.ts';
import type { FeatureOptions } from './options.ts';
import { featureSources } from './sources.ts';

export type DiscoveryInput = {
  host: HostRoot;
  options: FeatureOptions;
  signal: AbortSignal;
  /** Default: all. */
  sources?: readonly FeatureSource[];
};

/** What one pass found, sorted, so that two passes over an unchanged node are deeply equal. */
export type Discovery = {
  features: Required<Features>;
  /** Full key → value, all of them valid. */
  labels: Record<string, string>;
  /** Sources, or parts of one, that could not be read: their sets are missing, not empty. */
  failures: { source: string; error: unknown }[];
  /** Labels that Kubernetes would refuse; raw features keep the values. */
  rejected: { label: string; value: string }[];
};

/**
 * One pass over the sources. Changes nothing on the node; a source that fails or hangs is reported and does not silence
 * the others.
 * @throws the signal's reason when aborted
 */
export async function discoverFeatures({
  host,
  options,
  signal,
  sources = featureSources,
}: DiscoveryInput): Promise<Discovery> {
  const found: RawFeatures[] = [];
  const discovery: Discovery = {
    features: { flags: {}, attributes: {}, instances: {} },
    labels: {},
    failures: [],
    rejected: [],
  };
  for (const source of sources) {
    signal.throwIfAborted();
    const discovered = await runSource(source, { host, options, signal });
    for (const error of discovered.failures ?? []) discovery.failures.push({ source: source.name, error });
    found.push(discovered);
    addLabels(discovery, source, source.labels(discovered, options));
  }
  return {
    features: featuresOf(found, new Set(options.noPublishFeatures)),
    labels: sorted(discovery.labels),
    failures: discovery.failures,
    rejected: discovery.rejected,
  };
}

async function runSource(source: FeatureSource, { host, options, signal }: DiscoveryInput): Promise<Discovered> {
  const timeout = AbortSignal.timeout(options.sourceTimeoutMs);
  const either = AbortSignal.any([signal, timeout]);
  try {
    return await Promise.race([source.discover(host, options, either), rejectOn(either)]);
  } catch (error) {
    signal.throwIfAborted();
    const late = timeout.aborted && error === timeout.reason;
    const cause = late ? new FeatureSourceTimeoutError(source.name, options.sourceTimeoutMs, { cause: error }) : error;
    return { failures: [cause] };
  }
}

/** A read that hangs in the kernel cannot be cancelled: it is left behind. */
function rejectOn(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return promise;
}

function addLabels(discovery: Discovery, { name }: FeatureSource, labels: Record<string, string>): void {
  for (const [key, value] of Object.entries(labels)) {
    const label = featureLabel(name, key);
    if (isLabelKey(label) && isLabelValue(value)) discovery.labels[label] = value;
    else discovery.rejected.push({ label, value });
  }
}

/** NFD's shape: every set sorted; devices stay in the order of their folder names. */
function featuresOf(found: readonly RawFeatures[], withheld: ReadonlySet<string>): Required<Features> {
  const flags = new Map<string, Record<string, object>>();
  const attributes = new Map<string, Record<string, string>>();
  const instances = new Map<string, { attributes: Record<string, string> }[]>();
  for (const source of found) {
    for (const [set, names] of Object.entries(source.flags ?? {})) flags.set(set, sorted(flagElements(names)));
    for (const [set, values] of Object.entries(source.attributes ?? {})) attributes.set(set, sorted(values));
    for (const [set, devices] of Object.entries(source.instances ?? {})) {
      instances.set(
        set,
        devices.map((device) => ({ attributes: sorted(device) })),
      );
    }
  }
  return { flags: sets(flags, withheld), attributes: sets(attributes, withheld), instances: sets(instances, withheld) };
}

const flagElements = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, {}]));

function sets<T>(found: ReadonlyMap<string, T>, withheld: ReadonlySet<string>): Record<string, { elements: T }> {
  const published = [...found].filter(([name]) => !withheld.has(name));
  return sorted(Object.fromEntries(published.map(([name, elements]) => [name, { elements }])));
}

/** Keys in byte order. */
function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
