import { accepted, type RuleResult, refused } from './rule-error.ts';

// Upstream confuses these four strings (KMM v2.6 W29, W30, W34), so each is a type of its own.
declare const form: unique symbol;
type KernelVersionOf<Form> = string & { readonly [form]: Form };

/** What the node reports: `uname -r`, e.g. "6.12.9+deb12-amd64". The only form on the wire (claim, inventory). */
export type RawKernelVersion = KernelVersionOf<'raw'>;
/** Without one trailing "+": what kernel mappings are matched with, what build arguments and paths carry. */
export type TrimmedKernelVersion = KernelVersionOf<'trimmed'>;
/** Fit for an image tag, e.g. "6.12.9_deb12-amd64": what image templates get. */
export type NormalisedKernelVersion = KernelVersionOf<'normalised'>;
/** Fit for an object name, e.g. "6-12-9-deb12-amd64". Different kernels can share it (W30): never an identity. */
export type DnsSafeKernelVersion = KernelVersionOf<'dns-safe'>;

const ACCEPTED_KERNEL = /^[0-9A-Za-z][0-9A-Za-z._+~-]{2,63}$/;

/** Accepts 3 to 64 characters of [0-9A-Za-z._+~-] that begin with a letter or digit; else WrongKernelVersion. */
export function parseKernelVersion(text: string): RuleResult<RawKernelVersion> {
  if (ACCEPTED_KERNEL.test(text)) return accepted(text as RawKernelVersion);
  return refused('WrongKernelVersion', `${JSON.stringify(text.slice(0, 64))} is not a kernel version`);
}

/** Takes off one trailing "+", never more (KMM v2.6 §3.1). */
export function trimKernelVersion(kernel: RawKernelVersion): TrimmedKernelVersion {
  return (kernel.endsWith('+') ? kernel.slice(0, -1) : kernel) as string as TrimmedKernelVersion;
}

/** Every character outside [A-Za-z0-9-._] becomes "_" (KMM v2.6 §3.1). */
export function normaliseKernelVersion(kernel: TrimmedKernelVersion): NormalisedKernelVersion {
  return kernel.replace(/[^A-Za-z0-9._-]/gu, '_') as NormalisedKernelVersion;
}

/** Normalised, lower case, "_" and "." as "-", none of them at either end (KMM v2.6 §3.1). */
export function dnsSafeKernelVersion(kernel: TrimmedKernelVersion): DnsSafeKernelVersion {
  const dashed = normaliseKernelVersion(kernel).toLowerCase().replace(/[._]/g, '-');
  return dashed.replace(/^-+|-+$/g, '') as DnsSafeKernelVersion;
}

/**
 * The first three parts between ".", "," and "-", e.g. 6, 1 and 0 of "6.1.0-53-amd64"; fewer are a WrongKernelVersion.
 * A part keeps what it holds: z of "6.12.9+deb12-amd64" is "9+deb12".
 */
export function kernelParts(
  kernel: TrimmedKernelVersion | NormalisedKernelVersion,
): RuleResult<{ x: string; y: string; z: string }> {
  const [x, y, z] = kernel.split(/[.,-]/);
  if (x === undefined || y === undefined || z === undefined) {
    return refused('WrongKernelVersion', `kernel version ${JSON.stringify(kernel)} has fewer than three parts`);
  }
  return accepted({ x, y, z });
}
