import { isDigest } from './digest.ts';
import { InvalidReferenceError } from './errors.ts';
import { isLocalAddress } from './local-address.ts';

/** A repository in one registry, e.g. `{ host: 'quay.io:443', path: 'team/kmod' }`. */
export type Repository = { host: string; path: string };

/** `tag` and `digest` may both be there (the digest then decides), or neither (then `latest` is meant). */
export type ImageReference = Repository & { tag?: string; digest?: string };

const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const HOST = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9A-Fa-f:]+\\])(?::[0-9]{1,5})?$`);
const COMPONENT = '[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const MAX_LENGTH = 512; // as our CRDs bound image fields
const DOCKER_HUB = 'docker.io';

/**
 * Reads an image reference as container tools do (grammar: github.com/distribution/reference): a first part without dot,
 * port or upper case that is not `localhost` belongs to the path; no host means docker.io, and there one part means library/.
 * Throws InvalidReferenceError.
 */
export function parseReference(text: string): ImageReference {
  const [name = '', digest, ...rest] = text.split('@');
  const colon = name.lastIndexOf(':');
  const hasTag = colon > name.lastIndexOf('/');
  const repository = splitHost(hasTag ? name.slice(0, colon) : name);
  const tag = hasTag ? name.slice(colon + 1) : undefined;
  const valid =
    text.length <= MAX_LENGTH &&
    rest.length === 0 &&
    HOST.test(repository.host) &&
    PATH.test(repository.path) &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || isDigest(digest));
  if (!valid) throw new InvalidReferenceError(`${JSON.stringify(text.slice(0, MAX_LENGTH))} is not an image reference`);
  return { ...repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

function splitHost(name: string): Repository {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isHost = first === 'localhost' || /[.:A-Z]/.test(first);
  const host = isHost ? first.replace(/^index\.docker\.io$/, DOCKER_HUB) : DOCKER_HUB;
  const path = isHost ? name.slice(slash + 1) : name;
  return { host, path: host === DOCKER_HUB && !path.includes('/') ? `library/${path}` : path };
}

/** `host/path[:tag][@digest]`, fully qualified: parsing it gives the same reference. */
export function formatReference({ host, path, tag, digest }: ImageReference): string {
  return `${host}/${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** `quay.io/team/kmod:6.1` → `quay.io/team/kmod`; throws InvalidReferenceError. */
export function repositoryOf(reference: string): string {
  const { host, path } = parseReference(reference);
  return formatReference({ host, path });
}

/** `quay.io/team/kmod:6.1` → `quay.io/team/kmod@sha256:…`: the tag goes, since two names for one thing can disagree. */
export function withDigest(reference: string, digest: string): string {
  const { host, path } = parseReference(reference);
  return formatReference(parseReference(formatReference({ host, path, digest })));
}

/** True for hosts (with or without port) that can only be this machine: `localhost`, 127.0.0.0/8, `[::1]`. */
export function isLoopbackHost(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(host);
}

/**
 * True for hosts (with or without port) behind which there are services of this machine: loopback in all spellings, the
 * unspecified address, and link-local addresses, where clouds serve a machine's credentials. Names are not looked up.
 */
export function isThisMachine(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return /^(?:.*\.)?localhost\.?$/i.test(name) || isLocalAddress(name);
}
