import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
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
 */
export function verified(source: Readable, expected: Expected, failed: (cause: unknown) => Error): Readable {
  source.on('error', () => source.destroy()); // the reader below reports it; a stream abandoned early must not crash us
  const checked = Readable.from(check(source, expected, failed), { objectMode: false });
  checked.once('close', () => source.destroy());
  return checked;
}

async function* check(source: Readable, expected: Expected, failed: (cause: unknown) => Error) {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  try {
    for await (const chunk of source) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes > (expected.size ?? Number.POSITIVE_INFINITY)) break;
      yield chunk;
    }
  } catch (cause) {
    throw failed(cause);
  }
  const digest = `sha256:${hash.digest('hex')}`;
  if (expected.size !== undefined && sizeBytes !== expected.size) {
    throw new DigestMismatchError(
      `${expected.digest} has another size than the ${expected.size} bytes of its manifest`,
    );
  }
  if (digest !== expected.digest) throw new DigestMismatchError(`${expected.digest} arrived as ${digest}`);
}
