import { rm } from 'node:fs/promises';
import { createServer as createProxy } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import { join } from 'node:path';
import { type Connection, KubeClient } from '@kmm-hub/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runFolder } from '../src/host/run-folder.ts';
import { type Certificate, createAuthority } from '../src/servers/certificates.ts';

const { signal } = new AbortController();
const old = { ca: '', serving: {} as Certificate };
const next = { ca: '', serving: {} as Certificate };
const server = createServer((_request, response) => void response.end('fine'));
const tunnels: string[] = [];
const proxy = createProxy().on('connect', (request, socket) => {
  tunnels.push(String(request.url));
  const { port } = new URL(`http://${request.url}`);
  const upstream = connect(Number(port), '127.0.0.1', () => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    socket.pipe(upstream).pipe(socket);
  });
  socket.on('error', () => upstream.destroy());
  upstream.on('error', () => socket.destroy());
});
let folder: string;

beforeAll(async () => {
  folder = await runFolder('test-tls');
  for (const [name, side] of Object.entries({ old, next })) {
    const authority = await createAuthority(join(folder, name), name);
    side.ca = authority.certPem;
    side.serving = await authority.issue({ commonName: name, serverNames: ['IP:127.0.0.1', 'DNS:hub.example'] });
  }
  await Promise.all([listening(server), listening(proxy)]);
  present(old.serving);
});
afterAll(async () => {
  for (const one of [server, proxy]) {
    one.closeAllConnections();
    one.close();
  }
  await rm(folder, { recursive: true, force: true });
});

function listening(one: Server): Promise<void> {
  return new Promise((resolve) => {
    one.listen(0, '127.0.0.1', resolve);
  });
}

/** From now on the server proves itself by this one. */
function present({ certPem, keyPem }: Certificate): void {
  server.setSecureContext({ cert: certPem, key: keyPem });
  server.closeAllConnections();
}

const portOf = (one: Server) => (one.address() as AddressInfo).port;

async function using(connection: Partial<Connection>, work: (client: KubeClient) => Promise<void>): Promise<void> {
  const credentials = async () => ({ ca: old.ca });
  const client = new KubeClient({ server: `https://127.0.0.1:${portOf(server)}`, credentials, ...connection }, 'test');
  try {
    await work(client);
  } finally {
    await client.close();
  }
}

test('an authority that is rotated is read anew when the server is no longer trusted', async () => {
  let ca = old.ca;
  let renewals = 0;
  const credentials: Connection['credentials'] = async (options) => {
    if (options?.renew) {
      renewals += 1;
      ca = next.ca;
    }
    return { ca };
  };
  await using({ credentials }, async (client) => {
    expect(await client.raw('/x', signal)).toBe('fine');
    present(next.serving);
    expect(await client.raw('/x', signal)).toBe('fine');
    expect(await client.raw('/x', signal)).toBe('fine');
    expect(renewals).toBe(1);
  });
});

test('a server that no authority of ours vouches for is not spoken to', async () => {
  present(next.serving);
  await using({}, async (client) => {
    await expect(client.raw('/x', signal)).rejects.toMatchObject({ code: 'ApiServerUnreachable' });
  });
});

test('a proxy carries the connection, and the server still proves itself to us', async () => {
  present(old.serving);
  const through = { proxy: `http://127.0.0.1:${portOf(proxy)}`, server: `https://hub.example:${portOf(server)}` };
  await using(through, async (client) => expect(await client.raw('/x', signal)).toBe('fine'));
  expect(tunnels.at(-1)).toBe(`hub.example:${portOf(server)}`);
  present(next.serving);
  await using(through, async (client) => {
    await expect(client.raw('/x', signal)).rejects.toMatchObject({ code: 'ApiServerUnreachable' });
  });
});
