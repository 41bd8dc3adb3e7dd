import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { configMap, explain, UsageError } from '@kmm-hub/api-types';
import type { Connection, KubeClient } from '@kmm-hub/kube';
import { Agent, type Dispatcher, request } from 'undici';
import { ADDRESS_CONFIG_MAP, type ApiAddress, addressOf } from '../../api/address.ts';
import { HubEndpointError } from '../errors.ts';
import { type Reading, readObject } from '../readings.ts';

export type AddressFlags = {
  /** Namespace of the hub. */
  namespace: string;
  hubUrl?: string;
  /** File with PEM. */
  hubCa?: string;
};

/** Where the hub's endpoint is: as it publishes, or as the flags say. @throws HubEndpointError, UsageError */
export async function findAddress(client: KubeClient, flags: AddressFlags, signal: AbortSignal): Promise<ApiAddress> {
  const { namespace, hubUrl, hubCa } = flags;
  const given = {
    ...(hubUrl !== undefined && { url: hubUrl }),
    ...(hubCa !== undefined && { ca: await readCa(hubCa) }),
  };
  if (hubUrl !== undefined && hubCa !== undefined) return { url: hubUrl, ...given };
  const reading = await readObject(
    client,
    { resource: configMap, ref: { namespace, name: ADDRESS_CONFIG_MAP } },
    signal,
  );
  const published = reading.kind === 'found' ? addressOf(reading.value) : undefined;
  const { url, ca } = { ...published, ...given };
  if (url === undefined)
    throw new HubEndpointError(
      missingAddress(reading, namespace),
      'Start the hub with --api-port, or give --hub-url and --hub-ca; --namespace is that of the hub.',
    );
  return { url, ...(ca !== undefined && { ca }) };
}

function missingAddress(reading: Reading<unknown>, namespace: string): string {
  const name = `ConfigMap ${namespace}/${ADDRESS_CONFIG_MAP}`;
  if (reading.kind === 'forbidden') return `where the hub is cannot be found: you may not ${reading.right}`;
  return reading.kind === 'absent' ? `${name} does not exist` : `${name} has no url: the hub has told of no endpoint`;
}

async function readCa(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (err) {
    // biome-ignore lint/style/useErrorCause: the options are this error's third argument
    throw new UsageError(`--hub-ca ${file} cannot be read: ${explain(err)}`, 'Give a PEM file.', { cause: err });
  }
}

export type LogRequest = {
  address: ApiAddress;
  /** Of the API server: the hub knows its users. */
  connection: Connection;
  /** Of the ModuleImage. */
  name: string;
  query: Record<string, string>;
  /** Gets each line, without its end. */
  onLine: (line: string) => void;
};

const CONNECT_LIMIT_MS = 10_000;
const HEADERS_LIMIT_MS = 30_000;

/** Reads the log to its end, which a followed one may take its time for. @throws HubEndpointError */
export async function readLog(
  { address, connection, name, query, onLine }: LogRequest,
  signal: AbortSignal,
): Promise<void> {
  const { authorization, clientCertificate } = await connection.credentials();
  const ca = address.ca === undefined ? {} : { ca: address.ca };
  const agent = new Agent({ connect: { ...ca, ...clientCertificate, timeout: CONNECT_LIMIT_MS } });
  try {
    const url = `${address.url}/logs/moduleimages/${encodeURIComponent(name)}?${new URLSearchParams(query)}`;
    const headers = authorization === undefined ? {} : { authorization };
    const limits = { headersTimeout: HEADERS_LIMIT_MS, bodyTimeout: 0 }; // a build may be quiet for long
    const answer = await request(url, { dispatcher: agent, headers, signal, ...limits });
    await readLines(answer, onLine);
  } catch (err) {
    if (signal.aborted || err instanceof HubEndpointError) throw err;
    throw unreachable(address, err);
  } finally {
    await agent.destroy();
  }
}

async function readLines({ statusCode, body }: Dispatcher.ResponseData, onLine: (line: string) => void): Promise<void> {
  if (statusCode !== 200)
    throw new HubEndpointError(`the hub refuses (${statusCode}): ${(await body.text()).trim().slice(0, 2_000)}`, '');
  try {
    for await (const line of createInterface({ input: body as Readable, crlfDelay: Number.POSITIVE_INFINITY }))
      onLine(line);
  } catch (err) {
    const remedy = 'Ask again; what is kept is shown from its beginning.';
    // biome-ignore lint/style/useErrorCause: the options are this error's third argument
    throw new HubEndpointError(`the log broke off: ${explain(err)}`, remedy, { cause: err });
  }
}

function unreachable({ url }: ApiAddress, err: unknown): HubEndpointError {
  const remedy =
    'See that it can be reached from here, or give another way by --hub-url (and its authority by --hub-ca).';
  return new HubEndpointError(
    `the hub at ${url} does not answer: ${explain(err) || (err as NodeJS.ErrnoException).code}`,
    remedy,
    { cause: err },
  );
}
