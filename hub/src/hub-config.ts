import type { ToolkitCatalogueEntry } from '@kmm-hub/rules';
import type { Logger } from 'pino';
import { parse } from 'yaml';

export type HubConfig = { toolkitCatalogue: ToolkitCatalogueEntry[] };

/** Keys of upstream's controller_config.yaml (KMM v2.6), so that its file can stay; they change nothing, and the log says so. */
const UPSTREAM_KEYS = [
  'healthProbeBindAddress',
  'webhookPort',
  'webhook',
  'leaderElection',
  'metrics',
  'job',
  'worker',
];

/**
 * Reads controller_config.yaml; `undefined` is no file, which means defaults. Unknown keys and entries that are no
 * catalogue entries are warned of and left out: upstream's webhook server dies of them (W17).
 */
export function parseHubConfig(text: string | undefined, log: Pick<Logger, 'info' | 'warn'>): HubConfig {
  const document = readMapping(text ?? '', log);
  for (const key of Object.keys(document)) {
    if (UPSTREAM_KEYS.includes(key)) log.info({ key }, 'this key of upstream has no effect here: flags take its place');
    else if (key !== 'toolkitCatalogue') log.warn({ key }, 'unknown configuration key');
  }
  const entries: unknown[] = Array.isArray(document.toolkitCatalogue) ? document.toolkitCatalogue : [];
  const toolkitCatalogue = entries.filter(isCatalogueEntry);
  if (toolkitCatalogue.length < entries.length) {
    log.warn('an entry of toolkitCatalogue has no regexp or no image; it is left out');
  }
  return { toolkitCatalogue };
}

function readMapping(text: string, log: Pick<Logger, 'warn'>): Record<string, unknown> {
  try {
    const document: unknown = parse(text) ?? {};
    if (typeof document === 'object' && !Array.isArray(document)) return document as Record<string, unknown>;
    log.warn('controller_config.yaml is no mapping; defaults are used');
  } catch (err) {
    log.warn({ err }, 'controller_config.yaml is no YAML; defaults are used');
  }
  return {};
}

function isCatalogueEntry(entry: unknown): entry is ToolkitCatalogueEntry {
  const { regexp, image } = (entry ?? {}) as Record<string, unknown>;
  return typeof regexp === 'string' && typeof image === 'string';
}
