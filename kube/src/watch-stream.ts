import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { KubeObject } from '@kmm-hub/api-types';
import { type ApiStatus, errorFor, UnreachableError } from './errors.ts';

export type WatchEvent<T extends KubeObject> = { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: T };

/** One event never comes near this; a server that sends more is broken. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;

/**
 * Reads the newline-separated JSON of a watch. An ERROR event becomes the error of its status (410 most often); a
 * connection that breaks or falls silent becomes an UnreachableError; a clean close just ends.
 */
export async function* readWatchEvents<T extends KubeObject>(
  body: Readable,
  { server, request }: { server: string; request: string },
): AsyncGenerator<WatchEvent<T>> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const chunk = await nextChunk(chunks, server);
      if (chunk === undefined) return;
      rest += decoder.write(chunk);
      if (rest.length > MAX_LINE_CHARACTERS) throw new UnreachableError(server, { cause: new Error('endless event') });
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') yield parseEvent<T>(line, request);
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
  const event = JSON.parse(line) as { type: string; object: unknown };
  if (event.type === 'ERROR') {
    const status = event.object as ApiStatus;
    throw errorFor(request, status.code ?? 500, status);
  }
  return event as WatchEvent<T>;
}
