import { accepted, type RuleResult, refused } from '../rule-error.ts';

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const UINT64_MAX = 2n ** 64n - 1n;

/** A decimal integer of 64 bits with an optional sign and no blanks, as Go's Atoi reads it; else WrongFeatureRule. */
export function parseInteger(text: string): RuleResult<bigint> {
  const value = /^[+-]?[0-9]+$/.test(text) ? decimal(text) : undefined;
  if (value !== undefined && value >= INT64.min && value <= INT64.max) return accepted(value);
  return refused('WrongFeatureRule', `${quote(text)} is not an integer`);
}

// One to three numbers, then a pre-release and a build, whose dot-separated parts are not empty.
const VERSION = /^v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?$/;

/**
 * Major, minor and patch of a lenient semantic version such as "6.8.0-45-generic" or "v1.2" (NFD §5.2); pre-release and
 * build are checked and dropped. WrongFeatureRule for the rest, which includes RHEL's "5.14.0-427.el9.x86_64" (T23).
 */
export function parseVersion(text: string): RuleResult<bigint[]> {
  const [, major = '', minor = '0', patch = '0', preRelease, build] = VERSION.exec(text) ?? [];
  const numbers = [major, minor, patch].map(decimal);
  const isVersion =
    major !== '' &&
    numbers.every((number) => number <= UINT64_MAX) &&
    (preRelease === undefined || preRelease.split('.').every(isPreReleasePart)) &&
    (build === undefined || build.split('.').every((part) => part !== ''));
  return isVersion ? accepted(numbers) : refused('WrongFeatureRule', `${quote(text)} is not a version`);
}

function isPreReleasePart(part: string): boolean {
  return part !== '' && !/^0[0-9]+$/.test(part); // semver forbids leading zeros there
}

/** Cut to 40 digits, which is beyond every bound: BigInt needs more than linear time. */
function decimal(text: string): bigint {
  const digits = text.replace(/^[+-]?0*/, '').slice(0, 40);
  return BigInt(`${text.startsWith('-') && digits ? '-' : ''}${digits || '0'}`);
}

/** For messages: a feature's value can be a whole kernel configuration. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
