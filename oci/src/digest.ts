import { createHash } from 'node:crypto';
import { pipeline, type Readable, Transform } from 'node:stream';
import { DigestMismatchError, InvalidReferenceError } from './errors.ts';

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** True for `sha256:` and 64 lower-case hex digits, the only algorithm in use (OCI image spec, descriptor.md). */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** Digests become parts of paths and URLs: nothing else may pass. Throws InvalidReferenceError. */
export function requireDigest(text: string): string {
  if (!isDigest(text)) throw new InvalidReferenceError(`${JSON.stringify(text.slice(0, 100))} is not a sha256 digest`);
  return text;
}

export function digestOf(content: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** Reads a stream to its end. `sizeBytes` counts what was read. */
export async function digestOfStream(
  stream: AsyncIterable<Uint8Array>,
): Promise<{ digest: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { digest: `sha256:${hash.digest('hex')}`, sizeBytes };
}

export type Expected = { digest: string; size?: number | undefined };

/**
 * The same bytes, ending in DigestMismatchError instead of an end when they are not the expected ones. What was read
 * before the end is unverified: use nothing of it before the stream has ended. `failed` translates errors of the source.
 * Destroying it destroys the source at once.
 */
export function verified(source: Readable, expected: Expected, failed: (cause: unknown) => Error): Readable {
  const { digest, size = Number.POSITIVE_INFINITY } = expected;
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const wrongSize = () => new DigestMismatchError(`${digest} has another size than the ${size} bytes of its manifest`);
  const checked = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(sizeBytes > size ? wrongSize() : null, chunk);
    },
    flush(done) {
      const arrived = `sha256:${hash.digest('hex')}`;
      if (expected.size !== undefined && sizeBytes !== size) done(wrongSize());
      else done(arrived === digest ? null : new DigestMismatchError(`${digest} arrived as ${arrived}`));
    },
    destroy: (error, done) => done(error === null ? null : failed(error)),
  });
  return pipeline(source, checked, () => undefined); // whoever reads `checked` gets the error from there
}
