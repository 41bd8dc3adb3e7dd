import { randomBytes } from 'node:crypto';
import { on, once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { UsageError } from '@kmm-hub/api-types';
import { NodeUnreachableError, ProbeRefusedError } from './errors.ts';

const DEFAULT_LIMIT_MS = 30_000;
/** sockaddr_un of unix(7), less the ending zero: a longer path would be cut off and name another file. */
const MAX_SOCKET_PATH = 107;

export type ProbePortOptions = { node: string; socketPath: string; consoleLog: string };

/**
 * The host's end of a node's probe port. One question at a time, on one connection that is made when it is needed: a node
 * that restarts is simply asked again. Each question has a nonce of its own, so that what an earlier one, given up on,
 * still has to say is not taken for an answer.
 */
export class ProbePort {
  readonly #options: ProbePortOptions;
  #socket: Socket | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: ProbePortOptions) {
    if (Buffer.byteLength(options.socketPath) > MAX_SOCKET_PATH) {
      throw new UsageError(
        `${options.socketPath} is too long for a socket`,
        'Check out into a folder with a shorter path.',
      );
    }
    this.#options = options;
  }

  /**
   * The node's answer to one command, e.g. `parameters loop`, without its last line feed. Default limit: 30 s.
   * Throws NodeUnreachableError or ProbeRefusedError.
   */
  ask(command: string, signal: AbortSignal, limitMs = DEFAULT_LIMIT_MS): Promise<string> {
    const answer = this.#queue.then(() =>
      this.#exchange(command, AbortSignal.any([signal, AbortSignal.timeout(limitMs)])),
    );
    this.#queue = answer.catch(() => undefined); // its caller has the error; the next question is not concerned
    return answer.catch((err: unknown) => {
      signal.throwIfAborted();
      if (err instanceof ProbeRefusedError) throw err;
      const { node, consoleLog } = this.#options;
      throw new NodeUnreachableError(`node ${node} does not answer "${command}"`, consoleLog, { cause: err });
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  async #exchange(command: string, signal: AbortSignal): Promise<string> {
    if (command.includes('\n')) throw new ProbeRefusedError('a command of the probe is one line');
    signal.throwIfAborted();
    try {
      const socket = await this.#connected(signal);
      const nonce = randomBytes(8).toString('hex');
      socket.write(`${nonce} ${command}\n`);
      const { text, code } = await readAnswer(socket, nonce, signal);
      if (code !== 0) throw new ProbeRefusedError(`node ${this.#options.node} refused "${command}" with code ${code}`);
      return text;
    } catch (err) {
      if (!(err instanceof ProbeRefusedError)) this.close(); // what is half said must not meet the next question
      throw err;
    }
  }

  async #connected(signal: AbortSignal): Promise<Socket> {
    if (this.#socket !== undefined && !this.#socket.destroyed && this.#socket.readable) return this.#socket;
    const socket = createConnection(this.#options.socketPath).setEncoding('utf8');
    this.#socket = socket;
    socket.on('error', () => socket.destroy()); // between two questions nobody else listens; the next one reconnects
    await once(socket, 'connect', { signal });
    return socket;
  }
}

async function readAnswer(socket: Socket, nonce: string, signal: AbortSignal): Promise<{ text: string; code: number }> {
  const begin = `${nonce} begin\n`;
  const end = new RegExp(`^${nonce} end (\\d+)\\n`, 'm');
  let text = '';
  for await (const [chunk] of on(socket, 'data', { signal, close: ['close'] })) {
    text += chunk;
    const ended = end.exec(text);
    if (ended === null) continue;
    return {
      text: text.slice(text.indexOf(begin) + begin.length, ended.index).replace(/\n$/, ''),
      code: Number(ended[1]),
    };
  }
  throw new Error('the machine was switched off');
}
