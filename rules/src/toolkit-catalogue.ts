import { normaliseKernelVersion, type TrimmedKernelVersion } from './kernel-version.ts';
import { accepted, type RuleResult, refused } from './rule-error.ts';
import { searchExpression } from './search-expression.ts';
import { substituteTemplate } from './template.ts';
import { kernelVariables } from './template-variables.ts';

/** Which toolkit image builds for which kernels; from the hub's configuration. */
export type ToolkitCatalogueEntry = {
  /** RE2 expression searched in the trimmed kernel; not anchored. */
  regexp: string;
  /** Image reference; may hold the kernel's template variables, e.g. "registry.example.com/toolkit:$KERNEL_VERSION". */
  image: string;
};

/**
 * The toolkit image for a kernel, by the first entry that matches; `undefined` when none does. Its variables get the
 * normalised kernel. Errors: WrongRegexp, WrongKernelVersion, WrongTemplate. Unlike in a user's image an unknown
 * variable is an error here: no upstream configuration relies on it becoming empty.
 */
export function findToolkitImage(
  catalogue: readonly ToolkitCatalogueEntry[],
  kernel: TrimmedKernelVersion,
): RuleResult<string | undefined> {
  for (const [index, { regexp, image }] of catalogue.entries()) {
    const found = searchExpression(regexp, kernel);
    const filled = found.ok && found.value ? fillToolkitImage(image, kernel) : found;
    if (!filled.ok) {
      const { error } = filled;
      return refused(error.code, `toolkit catalogue entry ${index}: ${error.message}`, { cause: error });
    }
    if (typeof filled.value === 'string') return accepted(filled.value);
  }
  return accepted(undefined);
}

function fillToolkitImage(template: string, kernel: TrimmedKernelVersion): RuleResult<string> {
  const variables = kernelVariables(normaliseKernelVersion(kernel));
  if (!variables.ok) return variables;
  const filled = substituteTemplate(template, variables.value);
  if (!filled.ok) return filled;
  const wrong = [...filled.value.unset, ...filled.value.ignored];
  if (wrong.length > 0) return refused('WrongTemplate', `${wrong.join(', ')} of image ${template} is not known`);
  return accepted(filled.value.text);
}
