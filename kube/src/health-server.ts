import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { explain, UsageError } from '@kmm-hub/api-types';
import type { Registry } from 'prom-client';

export type HealthOptions = {
  /** 0 = no server. */
  port: number;
  /** Default all addresses, as probes come from outside the pod. */
  host?: string;
  /** Every reason why the process cannot do its work now; none means ready. */
  problems: () => string[];
  /** What /readyz says beside "ok", e.g. "standby". */
  role?: () => string | undefined;
  registry: Registry;
};

/**
 * Serves /healthz, /readyz (503 with one reason a line) and /metrics until aborted. A standby that could take over is
 * ready: else a Deployment of two replicas would never be available. Answers with the port.
 */
export async function startHealthServer(options: HealthOptions, signal: AbortSignal): Promise<number> {
  if (options.port === 0) return 0;
  const server = createServer((request, response) => {
    answer(request.url ?? '/', response, options).catch((err: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(`${explain(err)}\n`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (err) => {
      reject(new UsageError(`--health-port ${options.port} cannot be used: ${err.message}`, 'Choose another port.'));
    });
    server.listen(options.port, options.host, resolve);
  });
  signal.addEventListener('abort', () => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

async function answer(url: string, response: ServerResponse, options: HealthOptions): Promise<void> {
  const { problems, role, registry } = options;
  const path = url.split('?', 1)[0];
  if (path === '/healthz') return void response.writeHead(200).end('ok\n');
  if (path === '/readyz') {
    const found = problems();
    const ready = ['ok', role?.() ?? []].flat().join(': ');
    return void response.writeHead(found.length === 0 ? 200 : 503).end(`${found.join('\n') || ready}\n`);
  }
  if (path === '/metrics') {
    return void response.writeHead(200, { 'content-type': registry.contentType }).end(await registry.metrics());
  }
  response.writeHead(404).end('not found; /healthz, /readyz and /metrics are served\n');
}
