import type { KernelMapping } from '@kmm-hub/api-types';
import type { TrimmedKernelVersion } from './kernel-version.ts';
import { accepted, type RuleResult, refused } from './rule-error.ts';
import { searchExpression } from './search-expression.ts';

/** A mapping with its place in the list, for messages. */
export type FoundKernelMapping = { index: number; mapping: KernelMapping };

/**
 * The first mapping that matches, literal or expression alike (KMM v2.6 §3.2). `undefined`: the kernel is not
 * targeted, which is no failure. WrongRegexp when an expression on the way does not compile; those after the match
 * are not looked at.
 */
export function findKernelMapping(
  mappings: readonly KernelMapping[],
  kernel: TrimmedKernelVersion,
): RuleResult<FoundKernelMapping | undefined> {
  for (const [index, mapping] of mappings.entries()) {
    if (mapping.literal === kernel) return accepted({ index, mapping });
    if (!mapping.regexp) continue;
    const found = searchExpression(mapping.regexp, kernel);
    if (!found.ok) {
      const { error } = found;
      return refused(error.code, `kernelMappings[${index}].regexp: ${error.message}`, { cause: error });
    }
    if (found.value) return accepted({ index, mapping });
  }
  return accepted(undefined);
}
