import type { Readable } from 'node:stream';
import { HubError } from '@kmm-hub/api-types';
import type { Expected } from './digest.ts';
import { RegistryUnreachableError } from './errors.ts';
import type { ImageConfig, ImageManifest } from './manifest.ts';
import type { PulledManifest, ResolvedImage } from './manifests.ts';
import { type MirrorRule, planPull } from './mirrors.ts';
import { repositoryOf, withDigest } from './reference.ts';

/** The reads of a RegistryClient that may go to a mirror. `hasBlob` is none of them: it is asked before a push. */
export type Reads = {
  resolve(reference: string, signal: AbortSignal): Promise<ResolvedImage | undefined>;
  getManifest(reference: string, signal: AbortSignal): Promise<PulledManifest>;
  getConfig(repository: string, manifest: ImageManifest, signal: AbortSignal): Promise<ImageConfig>;
  openBlob(repository: string, blob: Expected, signal: AbortSignal): Promise<Readable>;
};

/**
 * The same reads, each tried at every place that the rules name until one has it; the error is that of the last place,
 * which is the source unless it is blocked. A manifest says in `repository` where it was found, and its blobs are read
 * from there: a mirror need not hold every image.
 */
export function withMirrors(reads: Reads, rules: readonly MirrorRule[]): Reads {
  const places = (reference: string) => planPull(reference, rules).map((candidate) => candidate.reference);
  return {
    async resolve(reference, signal) {
      const find = async (place: string) => (await reads.resolve(place, signal)) ?? 'absent';
      const found = await firstOf(places(reference), { read: find, isGood: (found) => found !== 'absent', signal });
      return found === 'absent' ? undefined : found;
    },
    getManifest: (reference, signal) =>
      firstOf(places(reference), { read: (place) => reads.getManifest(place, signal), signal }),
    getConfig: (repository, manifest, signal) =>
      firstOf(places(withDigest(repository, manifest.config.digest)), {
        read: (place) => reads.getConfig(repositoryOf(place), manifest, signal),
        signal,
      }),
    openBlob: (repository, blob, signal) =>
      firstOf(places(withDigest(repository, blob.digest)), {
        read: (place) => reads.openBlob(repositoryOf(place), blob, signal),
        signal,
      }),
  };
}

type Search<T> = { read: (place: string) => Promise<T>; isGood?: (answer: T) => boolean; signal: AbortSignal };

/** Whatever a mirror answers that is no image, the next place may have it. */
async function firstOf<T>(places: readonly string[], { read, isGood = () => true, signal }: Search<T>): Promise<T> {
  const errors: unknown[] = [];
  for (const [index, place] of places.entries()) {
    const isLast = index === places.length - 1;
    try {
      const answer = await read(place);
      if (isLast || isGood(answer)) return answer;
    } catch (err) {
      if (isLast || signal.aborted || !(err instanceof HubError)) throw err;
      errors.push(err);
    }
  }
  throw new RegistryUnreachableError('there is no place to read from', { cause: errors[0] });
}
