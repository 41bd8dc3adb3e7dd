import { connect, createServer, type Socket } from 'node:net';
import { freePort } from '../host/ports.ts';

/** The only way from an agent to its hub. It carries bytes: the agent speaks TLS with the API server itself. */
export type HubLink = {
  /** The hub as the agent's kubeconfig has it. */
  readonly url: string;
  /** Ends every connection, and every new one at once, until mended. */
  cut(): void;
  mend(): void;
  stop(): Promise<void>;
};

/** A link to an API server that listens on a port of 127.0.0.1. */
export async function startHubLink(hubPort: number): Promise<HubLink> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) return void near.resetAndDestroy();
    const far = connect({ port: hubPort, host: '127.0.0.1' });
    const both = [near, far] as const;
    for (const socket of both) {
      sockets.add(socket);
      socket.setNoDelay(true);
      // an end or an error of one side is the end of both: what it was is told by TLS to whom it concerns
      socket.once('error', () => both.map((each) => each.destroy()));
      socket.once('close', () => {
        sockets.delete(socket);
        for (const each of both) each.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ port, host: '127.0.0.1' }, resolve);
  });
  const end = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: `https://127.0.0.1:${port}`,
    cut: () => {
      isCut = true;
      end();
    },
    mend: () => {
      isCut = false;
    },
    stop: async () => {
      end();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
