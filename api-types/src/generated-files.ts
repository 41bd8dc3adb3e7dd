import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { apiReference } from './api-reference.ts';
import type { JsonSchema } from './core-schema/extract.ts';
import { crdManifest } from './crd-manifest.ts';
import { crds } from './crds.ts';

/** Every generated file of the repository: path from the top → content. */
export function generatedFiles(): Map<string, string> {
  const core = coreSchemas();
  const files = new Map<string, string>();
  for (const [folder, list] of Object.entries(crds)) {
    for (const { plural, group, definition } of list) {
      const yaml = stringify(crdManifest(definition, core), { lineWidth: 0, aliasDuplicateObjects: false });
      files.set(`deploy/crds/${folder}/${plural}.${group}.yaml`, yaml);
    }
  }
  const kinds = new Map(
    Object.entries(crds).map(([folder, list]) => [
      HEADINGS[folder as keyof typeof crds],
      list.map((crd) => crd.definition),
    ]),
  );
  return files.set('docs/api.md', apiReference(kinds, core));
}

const HEADINGS: Record<keyof typeof crds, string> = {
  hub: 'On the hub',
  spoke: 'On a spoke',
  upstream: 'Of upstream KMM and NFD, not read by this product yet',
  'ocm-hub': "Open Cluster Management's, on the hub",
  'ocm-placement': "Open Cluster Management's, for Placements",
  'ocm-spoke': "Open Cluster Management's, on a spoke",
  'ocm-add-on': "Open Cluster Management's, for add-ons",
  'ocm-rest': "Open Cluster Management's other kinds, kept as they are written",
};

/** Kubernetes' core types as the API server of the lab describes them (`npm run refresh:core-v1 --workspace api-types`). */
export function coreSchemas(): Record<string, JsonSchema> {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'core-schema/core-v1.json'), 'utf8'));
}
