import { createHash } from 'node:crypto';
import { explain } from '@kmm-hub/api-types';
import type { ToolkitCatalogueEntry } from '@kmm-hub/rules';
import type { Logger } from 'pino';
import { parse } from 'yaml';

export type HubConfig = { toolkitCatalogue: ToolkitCatalogueEntry[] };

/** Keys of upstream's controller_config.yaml (KMM v2.6) that are accepted; their meaning here is in docs/differences.md. */
const UPSTREAM_KEYS = [
  'healthProbeBindAddress',
  'webhookPort',
  'webhook',
  'leaderElection',
  'metrics',
  'job',
  'worker',
];

const parsed = new WeakMap<Logger, { hash: string; config: HubConfig }>();

/**
 * Reads controller_config.yaml. Absent: defaults. Unknown keys and entries that are no catalogue entries are warned of
 * once for each text and left out: upstream's webhook server dies of them (W17).
 */
export function parseHubConfig(text: string | undefined, log: Logger): HubConfig {
  const hash = createHash('sha256')
    .update(text ?? '')
    .digest('hex');
  const known = parsed.get(log);
  if (known?.hash === hash) return known.config;
  const config = readConfig(text, log);
  parsed.set(log, { hash, config });
  return config;
}

function readConfig(text: string | undefined, log: Logger): HubConfig {
  let document: unknown;
  try {
    document = text === undefined ? {} : parse(text);
  } catch (err) {
    log.warn({ err: explain(err) }, 'controller_config.yaml is no YAML; defaults are used');
  }
  const object = (document ?? {}) as Record<string, unknown>;
  for (const key of Object.keys(object)) {
    if (key !== 'toolkitCatalogue' && !UPSTREAM_KEYS.includes(key)) log.warn({ key }, 'unknown configuration key');
  }
  const entries = Array.isArray(object.toolkitCatalogue) ? (object.toolkitCatalogue as unknown[]) : [];
  const toolkitCatalogue = entries.filter(isCatalogueEntry);
  if (toolkitCatalogue.length < entries.length) {
    log.warn('an entry of toolkitCatalogue has no regexp or no image; it is left out');
  }
  return { toolkitCatalogue };
}

function isCatalogueEntry(entry: unknown): entry is ToolkitCatalogueEntry {
  const { regexp, image } = (entry ?? {}) as Record<string, unknown>;
  return typeof regexp === 'string' && typeof image === 'string';
}
