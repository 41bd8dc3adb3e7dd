import type { ControlPlane } from '../servers/control-plane.ts';

const crdPrefix = 'customresourcedefinition.apiextensions.k8s.io/';

/**
 * Applies manifests on the server's side as admin: `source` is a folder (with those below it) or a list of files. Waits until
 * every CRD among them is served, so that objects of its kind may follow. Gives the names as `kind.group/name`.
 * @throws CommandFailedError with what the API server says.
 */
export async function applyFolder(plane: ControlPlane, source: string | readonly string[]): Promise<string[]> {
  const files =
    typeof source === 'string' ? ['--recursive', `--filename=${source}`] : source.map((file) => `--filename=${file}`);
  const apply = ['apply', '--server-side', '--force-conflicts', '--field-manager=kmm-hub-lab', '--output=name'];
  const names = (await plane.kubectl([...apply, ...files])).split('\n').filter(Boolean);
  const crds = names.filter((name) => name.startsWith(crdPrefix));
  if (crds.length > 0) await plane.kubectl(['wait', '--for=condition=Established', '--timeout=30s', ...crds]);
  return names;
}
