import { Readable } from 'node:stream';
import { defaults } from './defaults.ts';
import { RegistryRefusedError, RegistryUnreachableError } from './errors.ts';
import { type HttpResponse, headerOf, transportError } from './http-exchange.ts';
import type { Transport } from './transport.ts';

export type Download = {
  transport: Pick<Transport, 'repeat'>;
  /** One try, from that byte on if the server can (it may also answer with everything). */
  open: (offset: number, signal: AbortSignal) => Promise<HttpResponse>;
  signal: AbortSignal;
};

type Chunks = AsyncIterator<Buffer>;

/**
 * The body of a download that goes on where the connection broke, at most `defaults.maxResumes` times; a registry that
 * falls silent instead is left to the next job. Nothing is checked here: wrap it in `verified`. Throws, before there is a
 * body, the errors of `open`; destroying it ends the connection.
 */
export async function resumable({ transport, open, signal }: Download): Promise<Readable> {
  const abandoned = new AbortController();
  const ended = AbortSignal.any([signal, abandoned.signal]);
  let host = '';
  let offset = 0;
  let resumes = 0;
  const openChunks = async (): Promise<Chunks> => {
    const response = await open(offset, ended);
    host = response.url.host;
    return chunksFrom(response, offset);
  };
  let chunks: Chunks | undefined = await transport.repeat(openChunks, signal);

  const next = async (): Promise<Buffer | null> => {
    chunks ??= await openChunks();
    try {
      const { done, value } = await chunks.next();
      offset += done ? 0 : value.length;
      return done ? null : value;
    } catch (cause) {
      chunks = undefined;
      resumes += 1;
      const error = transportError(host, cause, ended);
      if (!(error instanceof RegistryUnreachableError) || resumes <= defaults.maxResumes) throw error;
      const retryAfterMs = Number.POSITIVE_INFINITY; // not in this call
      throw new RegistryUnreachableError(`${error.message}, and broke one download too often`, { cause, retryAfterMs });
    }
  };
  return new Readable({
    read() {
      transport.repeat(next, ended).then(
        (chunk) => this.push(chunk),
        (error) => this.destroy(error),
      );
    },
    destroy(error, done) {
      abandoned.abort(error);
      done(error);
    },
  });
}

/** The body from that byte on; a server without ranges (RFC 9110 §14) sends the beginning again, which is passed over. */
function chunksFrom(response: HttpResponse, offset: number): Chunks {
  const { body, statusCode, url } = response;
  body.on('error', () => body.destroy()); // whoever reads reports it; a body that nobody read yet must not crash us
  const chunks = body[Symbol.asyncIterator]() as Chunks;
  if (statusCode !== 206) return offset === 0 ? chunks : skip(chunks, offset);
  const start = /^bytes (\d+)-/.exec(headerOf(response, 'content-range') ?? '')?.[1];
  if (start !== undefined && Number(start) === offset) return chunks;
  body.destroy();
  throw new RegistryRefusedError(`registry ${url.host} answers with another range than was asked for`);
}

async function* skip(chunks: Chunks, offset: number): AsyncGenerator<Buffer> {
  let left = offset;
  for (let each = await chunks.next(); !each.done; each = await chunks.next()) {
    if (each.value.length > left) yield each.value.subarray(left);
    left = Math.max(left - each.value.length, 0);
  }
}
