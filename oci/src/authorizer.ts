import type { RegistryAuth } from './credentials.ts';
import { defaults } from './defaults.ts';
import { RegistryDeniedError, RegistryRefusedError, RegistryUnreachableError } from './errors.ts';
import { type HttpExchange, type HttpResponse, readBounded } from './http-exchange.ts';
import type { Repository } from './reference.ts';

/** What a request wants to do, and where; `alsoPull` names the repository that a blob is mounted from. */
export type Access = { repository: Repository; action: 'pull' | 'push' | 'delete'; alsoPull?: Repository | undefined };

type Challenge = { scheme: 'basic' } | { scheme: 'bearer'; realm: string; service: string | undefined };

/** Remembers per host how it wants to be asked, and per scope the token it gave. */
export type Authorizer = {
  /** The header to send at once; undefined until the host has asked for one. */
  headerFor(access: Access, signal: AbortSignal): Promise<string | undefined>;
  /** The header that answers a 401; undefined when there is nothing (new) to offer. */
  answer(response: HttpResponse, access: Access, signal: AbortSignal): Promise<string | undefined>;
};

const ACTIONS = { pull: 'pull', push: 'pull,push', delete: 'delete' } as const;
const DEFAULT_TOKEN_SECONDS = 60; // of the token specification, when expires_in is missing

export function createAuthorizer(http: HttpExchange, auth: RegistryAuth): Authorizer {
  const challenges = new Map<string, Challenge>();
  const tokens = new Map<string, { header: string; expiresAtMs: number }>();

  async function headerFor(access: Access, signal: AbortSignal): Promise<string | undefined> {
    const challenge = challenges.get(access.repository.host);
    if (challenge === undefined) return undefined;
    if (challenge.scheme === 'basic') return basic(auth, access.repository);
    const url = tokenUrl(challenge, access);
    const known = tokens.get(url.href);
    if (known !== undefined && known.expiresAtMs > Date.now()) return known.header;
    const token = await fetchToken(http, { url, basic: basic(auth, access.repository), signal });
    tokens.set(url.href, token);
    return token.header;
  }

  return {
    headerFor,
    async answer(response, access, signal) {
      const challenge = readChallenge(response);
      if (challenge === undefined) return undefined;
      const { host } = access.repository;
      const refused = challenges.has(host) && challenge.scheme === 'basic'; // the same password would be refused again
      challenges.set(host, challenge);
      if (challenge.scheme === 'bearer') tokens.delete(tokenUrl(challenge, access).href);
      return refused ? undefined : headerFor(access, signal);
    },
  };
}

function basic(auth: RegistryAuth, repository: Repository): string | undefined {
  const credentials = auth(repository);
  if (credentials === undefined) return undefined;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}

/** `Bearer realm="https://…",service="…"` or `Basic realm="…"` (RFC 9110 §11.6.1); bearer wins when both are offered. */
function readChallenge(response: HttpResponse): Challenge | undefined {
  const offers = [response.headers['www-authenticate'] ?? []].flat();
  const bearer = offers.find((offer) => /^bearer\s/i.test(offer));
  if (bearer === undefined) return offers.some((offer) => /^basic\b/i.test(offer)) ? { scheme: 'basic' } : undefined;
  const parameters = new Map(
    [...bearer.matchAll(/([a-z]+)="([^"]*)"/gi)].map(([, key = '', value = '']) => [key, value]),
  );
  const realm = parameters.get('realm');
  return realm === undefined ? undefined : { scheme: 'bearer', realm, service: parameters.get('service') };
}

function tokenUrl({ realm, service }: { realm: string; service: string | undefined }, access: Access): URL {
  const url = URL.parse(realm);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new RegistryRefusedError(`${access.repository.host} names a token server that is not HTTP`);
  }
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.append('scope', `repository:${access.repository.path}:${ACTIONS[access.action]}`);
  if (access.alsoPull !== undefined) url.searchParams.append('scope', `repository:${access.alsoPull.path}:pull`);
  return url;
}

type TokenRequest = { url: URL; basic: string | undefined; signal: AbortSignal };

async function fetchToken(http: HttpExchange, { url, basic, signal }: TokenRequest) {
  const request = { method: 'GET', url, signal } as const;
  const response = await http.send(request, basic);
  const body = await readBounded(response, request, defaults.maxAnswerBytes);
  if (response.statusCode === 401 || response.statusCode === 403) {
    throw new RegistryDeniedError(`token server ${url.host} answers ${response.statusCode}`);
  }
  if (response.statusCode !== 200) {
    throw new RegistryUnreachableError(`token server ${url.host} answers ${response.statusCode}`);
  }
  const answer = parseToken(body);
  if (answer === undefined) throw new RegistryRefusedError(`token server ${url.host} answers without a token`);
  // A tenth less than granted: a token must not run out on its way.
  return { header: `Bearer ${answer.token}`, expiresAtMs: Date.now() + answer.expiresInSeconds * 900 };
}

function parseToken(body: Buffer): { token: string; expiresInSeconds: number } | undefined {
  try {
    const { token, access_token, expires_in } = JSON.parse(body.toString('utf8'));
    const found = token ?? access_token;
    const expiresInSeconds = typeof expires_in === 'number' ? expires_in : DEFAULT_TOKEN_SECONDS;
    return typeof found === 'string' ? { token: found, expiresInSeconds } : undefined;
  } catch {
    return undefined; // the caller says which server answered badly; the body may hold a token and is not quoted
  }
}
