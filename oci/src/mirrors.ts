import { RegistryBlockedError } from './errors.ts';
import { formatReference, type ImageReference, parseReference } from './reference.ts';

/** What a mirror may be asked for: references with a digest, without one, or both. */
export type MirrorUse = 'all' | 'digest-only' | 'tag-only';

/** `location`: what takes the place of the rule's prefix, e.g. `mirror.example:5000/cache`. */
export type Mirror = { location: string; use: MirrorUse; insecure: boolean };

/** One `[[registry]]` of registries.conf, version 2 (containers-registries.conf(5)). */
export type MirrorRule = {
  /** `host[:port][/path…]`, as fully qualified references begin, or `*.example.com` for all hosts below a domain. */
  prefix: string;
  /** What takes the prefix's place at the source itself; undefined = the same. */
  location?: string | undefined;
  /** In the order in which they are asked; the source comes last. */
  mirrors: readonly Mirror[];
  insecure: boolean;
  /** The source is not asked (its mirrors still are, unless a rule blocks them as well). */
  blocked: boolean;
};

/** `insecure`: the certificate of its host is not checked. */
export type PullCandidate = { reference: string; insecure: boolean };

/**
 * Where to read an image from, best first, by the rules of containers/image (sysregistriesv2), so that a node's container
 * engine and we look in the same places: the rule with the longest matching prefix decides, its mirrors come first, the
 * source last. Pure. Throws InvalidReferenceError, and RegistryBlockedError when nothing may be asked.
 */
export function planPull(text: string, rules: readonly MirrorRule[]): PullCandidate[] {
  const reference = parseReference(text);
  const rule = ruleFor(reference, rules);
  if (rule === undefined) return [{ reference: formatReference(reference), insecure: false }];
  const mirrors = rule.mirrors.filter(({ use }) => isFor(use, reference));
  const source = { location: rule.location ?? '', insecure: rule.insecure };
  const candidates = [...mirrors, source].map(({ location, insecure }) =>
    candidate(reference, { rule, location, insecure }),
  );
  const allowed = candidates.filter((each) => ruleFor(parseReference(each.reference), rules)?.blocked !== true);
  const last = candidates.at(-1);
  const open = rule.blocked ? allowed.filter((each) => each !== last) : allowed;
  if (open.length === 0) throw new RegistryBlockedError(formatReference(reference));
  return open;
}

function ruleFor(reference: ImageReference, rules: readonly MirrorRule[]): MirrorRule | undefined {
  const matching = rules.filter(({ prefix }) => matches(reference, prefix));
  return matching.reduce<MirrorRule | undefined>(
    (best, rule) => (best === undefined || rule.prefix.length > best.prefix.length ? rule : best),
    undefined,
  );
}

/** A prefix ends where a part of the reference ends: `quay.io/team` is no prefix of `quay.io/teammates`. */
function matches(reference: ImageReference, prefix: string): boolean {
  if (prefix.startsWith('*.')) return hostName(reference).endsWith(prefix.slice(1));
  const whole = formatReference(reference);
  return whole.startsWith(prefix) && ['', '/', ':', '@'].includes(whole.charAt(prefix.length));
}

function hostName({ host }: ImageReference): string {
  return host.replace(/:\d+$/, '');
}

function isFor(use: MirrorUse, { digest }: ImageReference): boolean {
  return use === 'all' || (use === 'digest-only') === (digest !== undefined);
}

type Place = { rule: MirrorRule; location: string; insecure: boolean };

/** A location takes the prefix's place; that of a wildcard stands for the host that matched it. */
function candidate(reference: ImageReference, { rule, location, insecure }: Place): PullCandidate {
  const whole = formatReference(reference);
  const replaced = rule.prefix.startsWith('*.') ? reference.host : rule.prefix;
  const rewritten = location === '' ? whole : `${location}${whole.slice(replaced.length)}`;
  return { reference: formatReference(parseReference(rewritten)), insecure };
}

/** True for hosts (with port) whose certificate a rule says not to check. */
export function isInsecureHost(host: string, rules: readonly MirrorRule[]): boolean {
  const hostOf = (place: string) => place.split('/', 1)[0];
  return rules.some(({ prefix, location, insecure, mirrors }) => {
    if (mirrors.some((mirror) => mirror.insecure && hostOf(mirror.location) === host)) return true;
    if (!insecure) return false;
    const source = location ?? prefix;
    return source.startsWith('*.') ? matches({ host, path: '' }, source) : hostOf(source) === host;
  });
}
