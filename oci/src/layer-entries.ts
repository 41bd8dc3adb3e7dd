import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { HubError } from '@kmm-hub/api-types';
import { type Extract, extract } from 'tar-stream';
import { ImageRefusedError } from './errors.ts';
import { type Descriptor, mediaTypes } from './manifest.ts';

const DOCKER_GZIP = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
const DOCKER_PLAIN = 'application/vnd.docker.image.rootfs.diff.tar';

/** What undoes the compression a layer's media type names; undefined for a plain tar. Throws ImageRefusedError. */
function decompressorOf({ mediaType }: Descriptor): Transform | undefined {
  switch (mediaType) {
    case mediaTypes.ociLayer:
    case DOCKER_PLAIN:
      return undefined;
    case `${mediaTypes.ociLayer}+gzip`:
    case DOCKER_GZIP:
      return createGunzip();
    case `${mediaTypes.ociLayer}+zstd`:
      return createZstdDecompress();
    default:
      throw new ImageRefusedError(`the image has a layer of type ${mediaType.slice(0, 100)}`);
  }
}

/** One entry of a tar: its header, and its bytes as a stream that must be read or resumed. */
export type Entry = Extract extends AsyncIterable<infer Source> ? Source : never;

/** Counts down over all layers of one image. */
export type Budget = { bytesLeft: number; entriesLeft: number };

/**
 * The tar entries of one layer, to be read or resumed in turn. Ends only after the blob is verified to its last byte;
 * throws ImageRefusedError for a broken archive or a spent budget, and the errors of `blob` unchanged.
 */
export async function* layerEntries(blob: Readable, layer: Descriptor, budget: Budget): AsyncGenerator<Entry> {
  const unpack = extract();
  const unzip = decompressorOf(layer);
  const meter = byteMeter(budget);
  const feeding = pipeline(unzip === undefined ? [blob, meter, unpack] : [blob, unzip, meter, unpack]);
  feeding.catch(() => undefined); // reported below; without a handler now, an early end of the loop would crash the process
  try {
    for await (const entry of unpack) {
      budget.entriesLeft -= 1;
      if (budget.entriesLeft < 0) throw new ImageRefusedError('the image has too many entries');
      yield entry;
    }
    await feeding;
  } catch (cause) {
    throw await layerError(feeding, layer, cause);
  } finally {
    blob.destroy();
    unpack.destroy();
  }
}

/** The first cause: the archive reader sees every failure behind it, say of the network, only as a broken archive. */
async function layerError(feeding: Promise<void>, layer: Descriptor, cause: unknown): Promise<Error> {
  if (cause instanceof HubError) return cause;
  const first = await feeding.then(
    () => cause,
    (err: unknown) => err,
  );
  if (first instanceof HubError || (first as Error).name === 'AbortError') return first as Error;
  return new ImageRefusedError(`layer ${layer.digest} is not a readable archive`, { cause: first });
}

function byteMeter(budget: Budget): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      budget.bytesLeft -= chunk.length;
      done(budget.bytesLeft < 0 ? new ImageRefusedError('the image unpacks to more bytes than allowed') : null, chunk);
    },
  });
}
