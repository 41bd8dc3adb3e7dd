import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { KubeObject } from '@kmm-hub/api-types';
import { type ApiStatus, errorFor, MalformedAnswerError, UnreachableError } from './errors.ts';

export type WatchEvent<T extends KubeObject> = { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: T };

/** One event never comes near this (etcd takes 1.5 MiB); a server that sends more is broken. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;

/**
 * Reads the newline-separated JSON of a watch. An ERROR event becomes the error of its status (410 most often); a
 * connection that breaks or falls silent becomes an UnreachableError; a clean close just ends. Leaving the loop ends
 * the connection.
 */
export async function* readWatchEvents<T extends KubeObject>(
  body: Readable,
  { server, request, onEvent }: { server: string; request: string; onEvent?: (type: string) => void },
): AsyncGenerator<WatchEvent<T>> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const chunk = await nextChunk(chunks, server);
      if (chunk === undefined) return;
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_LINE_CHARACTERS) throw new MalformedAnswerError(request, { cause: 'an endless event' });
      for (const line of lines) {
        if (line.trim() === '') continue;
        const event = parseEvent<T>(line, request);
        onEvent?.(event.type);
        yield event;
      }
    }
  } finally {
    body.destroy();
  }
}

async function nextChunk(chunks: AsyncIterator<Buffer>, server: string): Promise<Buffer | undefined> {
  try {
    const { done, value } = await chunks.next();
    return done ? undefined : value;
  } catch (err) {
    throw new UnreachableError(server, { cause: err });
  }
}

function parseEvent<T extends KubeObject>(line: string, request: string): WatchEvent<T> {
  let event: { type: string; object: unknown };
  try {
    event = JSON.parse(line);
  } catch (err) {
    throw new MalformedAnswerError(request, { cause: err });
  }
  if (event.type !== 'ERROR') return event as WatchEvent<T>;
  const status = event.object as ApiStatus;
  throw errorFor(request, status.code ?? 500, status);
}
