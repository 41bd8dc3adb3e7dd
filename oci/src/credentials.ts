import { HubError } from '@kmm-hub/api-types';
import type { Repository } from './reference.ts';

/** `identityToken` is shown to the token server in place of the password (what `docker login` keeps for some registries). */
export type Credentials = { username: string; password: string; identityToken?: string };

/** What to show for a repository; undefined = go as anybody. */
export type RegistryAuth = (repository: Repository) => Credentials | undefined;

/** The text of a `.dockerconfigjson` is no docker config. Its content is never part of the message. */
export class DockerConfigError extends HubError {
  override readonly name = 'DockerConfigError';
  readonly code = 'InvalidDockerConfig';
  readonly retry = 'never';
  readonly remedy = 'Create the Secret with: kubectl create secret docker-registry.';
}

/**
 * The credentials of a `.dockerconfigjson` (or an old `.dockercfg`) as a function: of all keys that are the repository's
 * host or a prefix of `host/path` at a slash, the longest wins (containers-auth.json(5)). Throws DockerConfigError.
 */
export function dockerConfigAuth(text: string): RegistryAuth {
  const entries = new Map<string, Credentials>();
  for (const [key, entry] of Object.entries(readAuths(text))) {
    const credentials = readEntry(entry);
    if (credentials !== undefined) entries.set(normalise(key), credentials);
  }
  return ({ host, path }) => {
    for (
      let prefix = `${host}/${path}`;
      prefix !== '';
      prefix = prefix.slice(0, Math.max(prefix.lastIndexOf('/'), 0))
    ) {
      const found = entries.get(prefix);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** Asks each in turn; the first answer counts. */
export function firstAuth(...auths: RegistryAuth[]): RegistryAuth {
  return (repository) => {
    for (const auth of auths) {
      const credentials = auth(repository);
      if (credentials !== undefined) return credentials;
    }
    return undefined;
  };
}

function readAuths(text: string): Record<string, unknown> {
  const config = parseJson(text);
  if (!isRecord(config)) throw new DockerConfigError('the docker config is not a JSON object');
  if (config.auths === undefined && Object.values(config).every((entry) => isRecord(entry) && 'auth' in entry))
    return config;
  if (!isRecord(config.auths ?? {})) throw new DockerConfigError('auths of the docker config is not an object');
  return (config.auths ?? {}) as Record<string, unknown>;
}

function readEntry(entry: unknown): Credentials | undefined {
  if (!isRecord(entry)) return undefined;
  const { identitytoken: identityToken } = entry;
  const user = readUser(entry);
  if (typeof identityToken !== 'string' || identityToken === '') return user;
  return { username: '', password: '', ...user, identityToken };
}

function readUser({ username, password, auth }: Record<string, unknown>): Credentials | undefined {
  if (typeof auth === 'string' && auth !== '') {
    const decoded = Buffer.from(auth, 'base64').toString('utf8');
    const colon = decoded.indexOf(':');
    if (colon > 0) return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
  }
  if (typeof username === 'string' && typeof password === 'string') return { username, password };
  return undefined;
}

/** `https://index.docker.io/v1/` → `docker.io`, `https://quay.io/team/` → `quay.io/team`. */
function normalise(key: string): string {
  const bare = key.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '');
  return bare.replace(/^(?:index\.|registry-1\.)docker\.io(?=\/|$)/, 'docker.io');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the error itself must not travel on: V8 quotes the text, here passwords, in its message
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
