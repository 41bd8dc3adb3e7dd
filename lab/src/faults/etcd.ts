import { join, relative } from 'node:path';
import { Agent, request } from 'undici';
import { UnexpectedAnswerError } from '../host/errors.ts';
import type { ControlPlane } from '../servers/control-plane.ts';

/** gRPC's code for a revision that is compacted already, which is as good. */
const OUT_OF_RANGE = 11;

/**
 * Compacts the etcd of a control plane up to its present revision: no older resource version can be watched from then on, once
 * the API server has forgotten it too (restart it). Over etcd's JSON gateway, https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/.
 */
export async function compactEtcd({ folder }: Pick<ControlPlane, 'folder'>, signal: AbortSignal): Promise<void> {
  const socket = join(folder, 'etcd.sock:0');
  const nearer = relative('', socket); // a socket's path holds at most 107 characters
  const dispatcher = new Agent({ connect: { socketPath: nearer.length < socket.length ? nearer : socket } });
  const ask = async (path: string, body: object) => {
    const url = `http://localhost${path}`;
    const { statusCode, body: text } = await request(url, {
      dispatcher,
      signal,
      method: 'POST',
      body: JSON.stringify(body),
    });
    const answer = (await text.json()) as { header?: { revision: string }; code?: number };
    if (statusCode !== 200 && answer.code !== OUT_OF_RANGE) throw new UnexpectedAnswerError(url, statusCode);
    return answer;
  };
  try {
    const { header } = await ask('/v3/kv/range', { key: btoa('x') });
    await ask('/v3/kv/compaction', { revision: header?.revision, physical: true });
  } finally {
    await dispatcher.destroy();
  }
}
