import {
  type ManagedClusterModule,
  type ModuleImage,
  managedClusterModule,
  moduleImage,
  type Resource,
} from '@kmm-hub/api-types';
import type { KubeClient } from '@kmm-hub/kube';
import { plainText } from '../../api/plain-text.ts';
import type { CliContext, GlobalFlags } from '../context.ts';
import { UnknownNameError } from '../errors.ts';
import { readList, readObject, required } from '../readings.ts';
import { imageOfModule, namedImage } from './find-image.ts';
import { type AddressFlags, findAddress, readLog } from './hub-client.ts';

export type LogsFlags = GlobalFlags & AddressFlags & { follow: boolean; tail?: number; timestamps: boolean };

/** Prints the build log of an image, by the user's own right to it. @throws what find-image.ts and hub-client.ts throw */
export async function logs(context: CliContext, word: string, flags: LogsFlags): Promise<void> {
  const { signal, out } = context;
  const { follow, tail, timestamps } = flags;
  const { client, connection } = await context.connect(flags);
  const name = namedImage(word) ?? (await imageNamedByModule(client, word, signal));
  const address = await findAddress(client, flags, signal);
  const query = {
    ...(follow && { follow: 'true' }),
    ...(timestamps && { timestamps: 'true' }),
    ...(tail !== undefined && { tail: String(tail) }),
  };
  await readLog({ address, connection, name, query, onLine: (line) => out(`${plainText(line)}\n`) }, signal);
}

async function imageNamedByModule(client: KubeClient, word: string, signal: AbortSignal): Promise<string> {
  const modules = managedClusterModule as Resource<ManagedClusterModule>;
  const module = required(await readObject(client, { resource: modules, ref: { name: word } }, signal));
  if (module === undefined) {
    const remedy =
      'Give the name of a ModuleImage (kubectl get mimg), its image reference, or the name of a ManagedClusterModule.';
    throw new UnknownNameError(`"${word}" names no image`, remedy);
  }
  const images = moduleImage as Resource<ModuleImage>;
  const all = await readList(client, { resource: images, keep: (image) => image }, signal);
  return imageOfModule(module, required(all) ?? []);
}
