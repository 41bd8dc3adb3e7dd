import { waitFor } from '../host/wait.ts';
import type { ControlPlane } from '../servers/control-plane.ts';

const servedWithinMs = 120_000;
const crdPrefix = 'customresourcedefinition.apiextensions.k8s.io/';

/**
 * Applies manifests on the server's side as admin: `source` is a folder (with those below it) or a list of files. Waits until
 * every CRD among them is served, so that objects of its kind may follow. Gives the names as `kind.group/name`.
 * @throws CommandFailedError with what the API server says, NotReadyError.
 */
export async function applyFolder(plane: ControlPlane, source: string | readonly string[]): Promise<string[]> {
  const files =
    typeof source === 'string' ? ['--recursive', `--filename=${source}`] : source.map((file) => `--filename=${file}`);
  const apply = ['apply', '--server-side', '--force-conflicts', '--field-manager=kmm-hub-lab', '--output=name'];
  const names = (await plane.kubectl([...apply, ...files])).split('\n').filter(Boolean);
  const crds = names.filter((name) => name.startsWith(crdPrefix)).map((name) => name.slice(crdPrefix.length));
  if (crds.length > 0) await untilServed(plane, crds);
  return names;
}

/** Asks the discovery that kubectl goes by: it learns of a kind a moment after the CRD says `Established`. */
async function untilServed(plane: ControlPlane, crds: readonly string[]): Promise<void> {
  const check = async () => {
    const kinds = new Set((await plane.kubectl(['api-resources', '--output=name'])).split('\n'));
    return crds.every((name) => kinds.has(name)) ? true : undefined;
  };
  const { signal } = new AbortController(); // the limit is enough
  await waitFor({ what: 'the kinds of new CRDs', check, timeoutMs: servedWithinMs, signal });
}
