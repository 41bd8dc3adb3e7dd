import { kernelParts, type NormalisedKernelVersion, type TrimmedKernelVersion } from './kernel-version.ts';
import { accepted, type RuleResult } from './rule-error.ts';

/**
 * The kernel's variables of KMM v2.6 §3.4. Images take the normalised kernel, since a tag cannot hold a "+"; paths take
 * the trimmed one, since that is the name of the directory in the image. WrongKernelVersion below three parts.
 */
export function kernelVariables(
  kernel: TrimmedKernelVersion | NormalisedKernelVersion,
): RuleResult<Map<string, string>> {
  const parts = kernelParts(kernel);
  if (!parts.ok) return parts;
  const { x, y, z } = parts.value;
  return accepted(
    new Map([
      ['KERNEL_FULL_VERSION', kernel],
      ['KERNEL_VERSION', kernel],
      ['KERNEL_XYZ', `${x}.${y}.${z}`],
      ['KERNEL_X', x],
      ['KERNEL_Y', y],
      ['KERNEL_Z', z],
    ]),
  );
}
