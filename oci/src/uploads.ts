import { Readable } from 'node:stream';
import type { Access } from './authorizer.ts';
import type { BlobSource } from './blobs.ts';
import { defaults } from './defaults.ts';
import { ImageNotFoundError, RegistryDeniedError, RegistryRefusedError, RegistryUnreachableError } from './errors.ts';
import { discard, type HttpRequest, type HttpResponse, headerOf } from './http-exchange.ts';
import { parseReference, type Repository } from './reference.ts';
import type { RegistryRequest, Transport } from './transport.ts';

export type Upload = { target: Repository; blob: BlobSource; signal: AbortSignal };

/** An upload session (distribution spec, "Pushing blobs"): its address moves with every answer. */
type Session = { location: URL; chunkBytes: number };
type Context = { transport: Transport; upload: Upload; access: Access; what: string };

/** What servers (often proxies before them) say to a body that is too large for them, or whose form they do not take. */
const WANTS_CHUNKS = new Set([405, 411, 413, 415, 501]);

/**
 * One try to bring a blob into a repository: mounted where the registry can, else all at once, else in chunks. Throws the
 * errors of errors.ts; RegistryUnreachableError means that a whole new try makes sense.
 */
export async function uploadOnce(transport: Transport, upload: Upload): Promise<void> {
  const { target, blob } = upload;
  const what = `upload of blob ${blob.digest} to ${target.host}/${target.path}`;
  const context: Context = { transport, upload, what, access: { repository: target, action: 'push' } };
  const session = (await mountOrOpen(context)) ?? 'mounted';
  if (session === 'mounted') return;
  try {
    await sendAtOnce(context, session);
  } catch (err) {
    if (!(err instanceof RegistryRefusedError && WANTS_CHUNKS.has(err.status ?? 0))) throw err;
    const next = await openSession(context, undefined); // the refused one may be spoilt
    if (next !== undefined) await sendInChunks(context, next);
  }
}

/** undefined = mounted. A mount that is refused (no right to pull there, or no mounts at all) is an upload like any other. */
async function mountOrOpen(context: Context): Promise<Session | undefined> {
  const { target, blob } = context.upload;
  const mount = mountSource(target, blob.mountFrom);
  if (mount === undefined) return openSession(context, undefined);
  try {
    return await openSession(context, mount);
  } catch (err) {
    const refusals = [RegistryDeniedError, RegistryRefusedError, ImageNotFoundError];
    if (!refusals.some((refusal) => err instanceof refusal)) throw err;
    return openSession(context, undefined);
  }
}

async function openSession(context: Context, mount: Repository | undefined): Promise<Session | undefined> {
  const { transport, upload, access } = context;
  const start = new URL('blobs/uploads/', transport.baseUrl(upload.target));
  if (mount !== undefined) {
    start.search = new URLSearchParams({ mount: upload.blob.digest, from: mount.path }).toString();
  }
  const request = { ...requestOf(context, { method: 'POST', url: start }), access: { ...access, alsoPull: mount } };
  const opened = await transport.sendOnce(request);
  await discard(opened, request);
  if (opened.statusCode === 201 && mount !== undefined) return undefined;
  const minBytes = Number(headerOf(opened, 'oci-chunk-min-length') ?? 0) || 0;
  const chunkBytes = Math.max(defaults.uploadChunkBytes, Math.min(minBytes, defaults.maxUploadChunkBytes));
  return { location: nextLocation(context, opened, start), chunkBytes };
}

/** "Pushing a blob monolithically": one PUT carries everything. */
async function sendAtOnce(context: Context, { location }: Session): Promise<void> {
  const { blob } = context.upload;
  const headers = { 'content-type': 'application/octet-stream', 'content-length': String(blob.sizeBytes) };
  await send(context, { method: 'PUT', url: withDigest(location, blob.digest), headers, body: blob.open });
}

/** "Pushing a blob in chunks": PATCH after PATCH, each to where the last answer says, and a PUT without a body. */
async function sendInChunks(context: Context, session: Session): Promise<void> {
  const { blob } = context.upload;
  let { location } = session;
  let offset = 0;
  for await (const chunk of chunksOf(await blob.open(), session.chunkBytes)) {
    const headers = {
      'content-type': 'application/octet-stream',
      'content-length': String(chunk.length),
      'content-range': `${offset}-${offset + chunk.length - 1}`,
    };
    const answer = await send(context, { method: 'PATCH', url: location, headers, body: () => chunk });
    location = nextLocation(context, answer, location);
    offset += chunk.length;
  }
  const headers = { 'content-length': '0' };
  await send(context, { method: 'PUT', url: withDigest(location, blob.digest), headers });
}

async function send(context: Context, part: Omit<HttpRequest, 'signal'>): Promise<HttpResponse> {
  const { transport, upload, what } = context;
  const request = requestOf(context, { ...part, namedBy: transport.baseUrl(upload.target) });
  try {
    const response = await transport.sendOnce(request);
    await discard(response, request);
    return response;
  } catch (err) {
    // Some registries lose a session when they restart: they answer 404, and a new one helps.
    if (!(err instanceof ImageNotFoundError)) throw err;
    throw new RegistryUnreachableError(`${what}: the registry lost the upload session`, { cause: err });
  }
}

function requestOf({ upload, access, what }: Context, part: Omit<HttpRequest, 'signal'>): RegistryRequest {
  return { ...part, access, what, signal: upload.signal };
}

function nextLocation({ transport, what }: Context, answer: HttpResponse, from: URL): URL {
  const location = URL.parse(headerOf(answer, 'location') ?? '', from.href);
  if (location === null || !headerOf(answer, 'location')) {
    throw new RegistryRefusedError(`${what}: the registry opens no upload session`);
  }
  transport.requireSafeTarget(from, location);
  return location;
}

function withDigest(location: URL, digest: string): URL {
  const url = new URL(location);
  url.searchParams.set('digest', digest);
  return url;
}

/** The same bytes in pieces of that size, the last one smaller. */
async function* chunksOf(source: Buffer | Readable, sizeBytes: number): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  const pieces: AsyncIterable<Buffer> = Buffer.isBuffer(source) ? Readable.from([source]) : source;
  for await (const piece of pieces) {
    pending.push(piece);
    pendingBytes += piece.length;
    if (pendingBytes < sizeBytes) continue;
    const joined = Buffer.concat(pending);
    const whole = joined.length - (joined.length % sizeBytes);
    for (let start = 0; start < whole; start += sizeBytes) yield joined.subarray(start, start + sizeBytes);
    pending = [joined.subarray(whole)];
    pendingBytes = joined.length - whole;
  }
  if (pendingBytes > 0) yield Buffer.concat(pending);
}

function mountSource(target: Repository, mountFrom: string | undefined): Repository | undefined {
  if (mountFrom === undefined) return undefined;
  const source = parseReference(mountFrom);
  return source.host === target.host && source.path !== target.path ? source : undefined;
}
