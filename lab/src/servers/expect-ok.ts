import { Agent, type buildConnector, request } from 'undici';
import { UnexpectedAnswerError } from '../host/errors.ts';

/**
 * Asks once, over a connection of its own, and returns only on a 200: what `ready` of a server needs.
 * `connect` says how to get there: a CA and a client certificate, or a Unix socket.
 * @throws UnexpectedAnswerError on any other status, undici's errors when nothing answers.
 */
export async function expectOk(
  url: string,
  signal: AbortSignal,
  connect: buildConnector.BuildOptions = {},
): Promise<void> {
  const dispatcher = new Agent({ connect });
  try {
    const { statusCode, body } = await request(url, { dispatcher, signal });
    await body.dump();
    if (statusCode !== 200) throw new UnexpectedAnswerError(url, statusCode);
  } finally {
    await dispatcher.destroy();
  }
}
