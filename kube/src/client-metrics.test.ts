import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { configMap } from '@kmm-hub/api-types';
import { afterEach, expect, test } from 'vitest';
import { KubeClient } from './client.ts';
import { clientMetrics } from './client-metrics.ts';
import { metricsRegistry } from './metrics.ts';

const { signal } = new AbortController();
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of cleanUp.splice(0).reverse()) await stop();
});

async function start(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const registry = metricsRegistry();
  const connection = { server: `http://${host}`, credentials: async () => ({}) };
  const client = new KubeClient(connection, 'test', { observer: clientMetrics(registry) });
  cleanUp.push(() => server.close());
  cleanUp.push(() => server.closeAllConnections());
  cleanUp.push(() => client.close());
  const lines = async (name: string) => {
    const text = await registry.metrics();
    return text.split('\n').flatMap((line) => (line.startsWith(`${name}{`) ? line.replace(host, 'HOST') : []));
  };
  return { client, lines };
}

test('requests are counted by method and status, and one without an answer is an error', async () => {
  const { client, lines } = await start(({ url }, response) => {
    if (url?.includes('cut')) response.destroy();
    else response.writeHead(url?.includes('gone') ? 404 : 200, { 'content-type': 'application/json' }).end('{}');
  });
  await client.create(configMap, { metadata: { name: 'a', namespace: 'n' } }, signal);
  await client.getIfPresent(configMap, { name: 'gone', namespace: 'n' }, signal);
  await expect(client.get(configMap, { name: 'cut', namespace: 'n' }, signal)).rejects.toThrow();
  expect(await lines('rest_client_requests_total')).toEqual([
    'rest_client_requests_total{code="200",host="HOST",method="POST"} 1',
    'rest_client_requests_total{code="404",host="HOST",method="GET"} 1',
    'rest_client_requests_total{code="<error>",host="HOST",method="GET"} 1',
  ]);
  expect(await lines('rest_client_request_duration_seconds_count')).toEqual([
    'rest_client_request_duration_seconds_count{host="HOST",verb="POST"} 1',
    'rest_client_request_duration_seconds_count{host="HOST",verb="GET"} 2',
  ]);
});

test('a list is counted once however many pages or events it has, and a watch by its events', async () => {
  const event = (type: string) => `${JSON.stringify({ type, object: { metadata: { name: 'a' } } })}\n`;
  const { client, lines } = await start(({ url = '' }, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const next = url.includes('continue=more') ? {} : { continue: 'more' };
    if (url.includes('watch=true')) response.end(`${event('ADDED')}${event('BOOKMARK')}${event('ADDED')}`);
    else response.end(JSON.stringify({ items: [], metadata: { resourceVersion: '1', ...next } }));
  });
  await client.list(configMap, { pageSize: 1 }, signal);
  for (const from of [{ resourceVersion: '1' }, {}]) {
    for await (const _event of await client.watch(configMap, { ...from, timeoutSeconds: 1 }, signal));
  }
  expect([
    ...(await lines('kmm_hub_lists_total')),
    ...(await lines('kmm_hub_watches_total')),
    ...(await lines('kmm_hub_watch_events_total')),
  ]).toEqual([
    'kmm_hub_lists_total{resource="configmaps"} 2', // one by pages, one as a stream
    'kmm_hub_watches_total{resource="configmaps"} 2',
    'kmm_hub_watch_events_total{resource="configmaps",type="ADDED"} 4',
    'kmm_hub_watch_events_total{resource="configmaps",type="BOOKMARK"} 2',
  ]);
});
