import type { Readable } from 'node:stream';
import type { Access } from './authorizer.ts';
import { type Expected, requireDigest, verified } from './digest.ts';
import { RegistryRefusedError, RegistryUnreachableError } from './errors.ts';
import { headerOf, transportError } from './http-exchange.ts';
import { parseReference, type Repository } from './reference.ts';
import type { Transport } from './transport.ts';

/** `open` is called once per try, and gives `sizeBytes` bytes with that digest. */
export type BlobSource = {
  digest: string;
  sizeBytes: number;
  open: () => Readable | Buffer | Promise<Readable>;
  /** A repository that has the blob; another registry than the target's is no use and ignored. */
  mountFrom?: string | undefined;
};

type Upload = { target: Repository; blob: BlobSource; signal: AbortSignal };

/** The blob half of the distribution protocol; see RegistryClient. */
export function createBlobStore(transport: Transport) {
  const blobRequest = (repository: string, digest: string) => {
    const target = parseReference(repository);
    const access: Access = { repository: target, action: 'pull' };
    const url = new URL(`blobs/${requireDigest(digest)}`, transport.baseUrl(target));
    return { url, access, what: `blob ${digest} of ${repository}` };
  };

  async function hasBlob(repository: string, digest: string, signal: AbortSignal): Promise<boolean> {
    const response = await transport.find({ ...blobRequest(repository, digest), method: 'HEAD', signal });
    await response?.body.dump();
    return response !== undefined;
  }

  async function openBlob(repository: string, blob: Expected, signal: AbortSignal): Promise<Readable> {
    const request = blobRequest(repository, blob.digest);
    const response = await transport.send({ ...request, method: 'GET', signal });
    return verified(response.body, blob, (cause) => transportError(request.url.host, cause, signal));
  }

  async function uploadBlob(repository: string, blob: BlobSource, signal: AbortSignal): Promise<void> {
    requireDigest(blob.digest);
    if (await hasBlob(repository, blob.digest, signal)) return;
    const upload = { target: parseReference(repository), blob, signal };
    await transport.repeat(() => uploadOnce(transport, upload), signal); // a broken upload starts again in a new session
  }

  return { hasBlob, openBlob, uploadBlob };
}

/** POST opens a session (or mounts), PUT sends all of it at once (distribution spec, "Pushing a blob monolithically"). */
async function uploadOnce(transport: Transport, { target, blob, signal }: Upload): Promise<void> {
  const what = `upload of blob ${blob.digest} to ${target.host}/${target.path}`;
  const mount = mountSource(target, blob.mountFrom);
  const access: Access = { repository: target, action: 'push', alsoPull: mount };
  const start = new URL('blobs/uploads/', transport.baseUrl(target));
  if (mount !== undefined) start.search = new URLSearchParams({ mount: blob.digest, from: mount.path }).toString();
  const opened = await transport.sendOnce({ method: 'POST', url: start, access, what, signal });
  await opened.body.dump();
  if (opened.statusCode === 201) return; // mounted
  const session = URL.parse(headerOf(opened, 'location') ?? '', start.href);
  if (session === null) throw new RegistryRefusedError(`${what}: the registry opens no upload session`);
  session.searchParams.set('digest', blob.digest);
  const headers = { 'content-type': 'application/octet-stream', 'content-length': String(blob.sizeBytes) };
  try {
    const done = await transport.sendOnce({
      method: 'PUT',
      url: session,
      headers,
      body: blob.open,
      access,
      what,
      signal,
    });
    await done.body.dump();
  } catch (err) {
    // Some registries lose a session when they restart: they answer 404, and a new one helps.
    if ((err as { code?: unknown }).code !== 'ImageNotFound') throw err;
    throw new RegistryUnreachableError(`${what}: the registry lost the upload session`, { cause: err });
  }
}

function mountSource(target: Repository, mountFrom: string | undefined): Repository | undefined {
  if (mountFrom === undefined) return undefined;
  const source = parseReference(mountFrom);
  return source.host === target.host && source.path !== target.path ? source : undefined;
}
