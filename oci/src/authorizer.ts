import type { Credentials, RegistryAuth } from './credentials.ts';
import { defaults } from './defaults.ts';
import { digestOf } from './digest.ts';
import { RegistryDeniedError, RegistryRefusedError, RegistryUnreachableError } from './errors.ts';
import { type HttpExchange, type HttpRequest, type HttpResponse, readBounded } from './http-exchange.ts';
import type { Repository } from './reference.ts';

/** What a request wants to do, and where; `alsoPull` names the repository that a blob is mounted from. */
export type Access = { repository: Repository; action: 'pull' | 'push' | 'delete'; alsoPull?: Repository | undefined };

type BearerChallenge = { scheme: 'bearer'; realm: string; service: string | undefined };
type Challenge = { scheme: 'basic' } | BearerChallenge;
type Token = { header: string; expiresAtMs: number };

/** Remembers per host how it wants to be asked, and per scope the token it gave. */
export type Authorizer = {
  /** The header to send at once; undefined until the host has asked for one. */
  headerFor(access: Access, signal: AbortSignal): Promise<string | undefined>;
  /** The header that answers a 401; undefined when there is nothing (new) to offer. */
  answer(refusal: Refusal, access: Access, signal: AbortSignal): Promise<string | undefined>;
};

/** `sent` is the header that was not good enough. */
export type Refusal = { response: HttpResponse; sent: string | undefined };

const ACTIONS = { pull: 'pull', push: 'pull,push', delete: 'delete' } as const;
const DEFAULT_TOKEN_SECONDS = 60; // of the token specification, when expires_in is missing

export function createAuthorizer(http: HttpExchange, auth: RegistryAuth): Authorizer {
  const challenges = new Map<string, Challenge>();
  const tokens = new Map<string, Token>();

  async function headerFor(access: Access, signal: AbortSignal): Promise<string | undefined> {
    const challenge = challenges.get(access.repository.host);
    if (challenge === undefined) return undefined;
    const credentials = auth(access.repository);
    if (challenge.scheme === 'basic') return credentials && basic(credentials);
    const realm = tokenRealm(challenge, access);
    const namedBy = http.baseUrl(access.repository);
    http.requireSafeTarget(namedBy, realm); // the credentials go there
    const known = tokens.get(tokenKey(challenge, access));
    if (known !== undefined && known.expiresAtMs > Date.now()) return known.header;
    const token = await fetchToken(http, { realm, namedBy, query: tokenQuery(challenge, access), credentials, signal });
    forgetExpired();
    tokens.set(tokenKey(challenge, access), token);
    return token.header;
  }

  function forgetExpired(): void {
    for (const [key, { expiresAtMs }] of tokens) {
      if (expiresAtMs <= Date.now()) tokens.delete(key);
    }
  }

  /** Scope and credential: after a rotation of the Secret, the rights of the old one are not used any more. */
  function tokenKey(challenge: BearerChallenge, access: Access): string {
    const { username, password, identityToken } = auth(access.repository) ?? {};
    const query = tokenQuery(challenge, access).toString();
    return digestOf(JSON.stringify([challenge.realm, query, username, password, identityToken]));
  }

  return {
    headerFor,
    async answer({ response, sent }, access, signal) {
      const challenge = readChallenge(response);
      if (challenge === undefined) return undefined;
      challenges.set(access.repository.host, challenge);
      if (challenge.scheme === 'bearer') {
        const key = tokenKey(challenge, access);
        // Meanwhile another call may have brought a newer one than that which was refused.
        if (tokens.get(key)?.header === sent) tokens.delete(key);
      }
      const header = await headerFor(access, signal);
      return header === sent ? undefined : header; // the same password would be refused again
    },
  };
}

function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
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

function tokenRealm({ realm }: BearerChallenge, access: Access): URL {
  const url = URL.parse(realm);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new RegistryRefusedError(`${access.repository.host} names a token server that is not HTTP`);
  }
  return url;
}

function tokenQuery({ service }: BearerChallenge, access: Access): URLSearchParams {
  const query = new URLSearchParams(service === undefined ? {} : { service });
  query.append('scope', `repository:${access.repository.path}:${ACTIONS[access.action]}`);
  if (access.alsoPull !== undefined) query.append('scope', `repository:${access.alsoPull.path}:pull`);
  return query;
}

type TokenRequest = {
  realm: URL;
  namedBy: URL;
  query: URLSearchParams;
  credentials: Credentials | undefined;
  signal: AbortSignal;
};

/** GET with a password or as anybody (distribution spec, "token"), POST with an identity token (its "oauth"). */
function tokenExchange({ realm, namedBy, query, credentials, signal }: TokenRequest): HttpRequest {
  if (credentials?.identityToken === undefined) {
    const url = new URL(realm);
    for (const [name, value] of query) url.searchParams.append(name, value);
    return { method: 'GET', url, namedBy, signal };
  }
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'kmm-hub' });
  form.set('refresh_token', credentials.identityToken);
  form.set('service', query.get('service') ?? realm.host);
  form.set('scope', query.getAll('scope').join(' '));
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', url: realm, namedBy, headers, body: () => Buffer.from(form.toString()), signal };
}

async function fetchToken(http: HttpExchange, tokenRequest: TokenRequest): Promise<Token> {
  const { credentials, realm: url } = tokenRequest;
  const request = tokenExchange(tokenRequest);
  const withPassword = credentials !== undefined && request.method === 'GET';
  const response = await http.send(request, withPassword ? basic(credentials) : undefined);
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
