import type { Readable } from 'node:stream';
import type { Access } from './authorizer.ts';
import { type Expected, requireDigest, verified } from './digest.ts';
import { discard, transportError } from './http-exchange.ts';
import { parseReference } from './reference.ts';
import { resumable } from './resumable.ts';
import type { Transport } from './transport.ts';
import { uploadOnce } from './uploads.ts';

/** `open` is called once per try, and gives `sizeBytes` bytes with that digest. */
export type BlobSource = {
  digest: string;
  sizeBytes: number;
  open: () => Readable | Buffer | Promise<Readable>;
  /** A repository that has the blob; another registry than the target's is no use and ignored. */
  mountFrom?: string | undefined;
};

/** The blob half of the distribution protocol; see RegistryClient. */
export function createBlobStore(transport: Transport) {
  const blobRequest = (repository: string, digest: string) => {
    const target = parseReference(repository);
    const access: Access = { repository: target, action: 'pull' };
    const url = new URL(`blobs/${requireDigest(digest)}`, transport.baseUrl(target));
    return { url, access, what: `blob ${digest} of ${repository}` };
  };

  async function hasBlob(repository: string, digest: string, signal: AbortSignal): Promise<boolean> {
    const request = blobRequest(repository, digest);
    const response = await transport.find({ ...request, method: 'HEAD', signal });
    if (response !== undefined) await discard(response, { ...request, method: 'HEAD', signal });
    return response !== undefined;
  }

  async function openBlob(repository: string, blob: Expected, signal: AbortSignal): Promise<Readable> {
    const request = blobRequest(repository, blob.digest);
    const open = (offset: number, ended: AbortSignal) => {
      const headers: Record<string, string> = offset === 0 ? {} : { range: `bytes=${offset}-` };
      return transport.sendOnce({ ...request, headers, method: 'GET', signal: ended });
    };
    return verified(await resumable({ transport, open, signal }), blob, (cause) =>
      transportError(request.url.host, cause, signal),
    );
  }

  async function uploadBlob(repository: string, blob: BlobSource, signal: AbortSignal): Promise<void> {
    requireDigest(blob.digest);
    if (await hasBlob(repository, blob.digest, signal)) return;
    const upload = { target: parseReference(repository), blob, signal };
    await transport.repeat(() => uploadOnce(transport, upload), signal); // a broken upload starts again in a new session
  }

  return { hasBlob, openBlob, uploadBlob };
}
