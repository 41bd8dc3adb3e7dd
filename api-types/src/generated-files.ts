import { stringify } from 'yaml';
import { crds } from './crds.ts';

/** Every generated file of the repository: path from the top → content. */
export function generatedFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const [folder, list] of Object.entries(crds)) {
    for (const { plural, group, manifest } of list) {
      files.set(
        `deploy/crds/${folder}/${plural}.${group}.yaml`,
        stringify(manifest, { lineWidth: 0, aliasDuplicateObjects: false }),
      );
    }
  }
  return files;
}
