import type { ManifestConfig, ResourceIdentifier, UpdateStrategy } from '@kmm-hub/api-types';

/** How one manifest is applied and what is fed back of it. */
export type EffectiveConfig = {
  strategy: UpdateStrategy;
  feedbackRules: NonNullable<ManifestConfig['feedbackRules']>;
  conditionRules: NonNullable<ManifestConfig['conditionRules']>;
};

/** Each part comes from the first config that matches the manifest and has that part. */
export function effectiveConfig(
  configs: readonly ManifestConfig[] | undefined,
  identifier: Required<ResourceIdentifier>,
): EffectiveConfig {
  const matching = (configs ?? []).filter(({ resourceIdentifier }) => matches(resourceIdentifier, identifier));
  const first = <K extends keyof ManifestConfig>(part: K) =>
    matching.find((config) => config[part] !== undefined)?.[part];
  return {
    strategy: first('updateStrategy') ?? { type: 'Update' },
    feedbackRules: first('feedbackRules') ?? [],
    conditionRules: first('conditionRules') ?? [],
  };
}

function matches(pattern: ResourceIdentifier, identifier: Required<ResourceIdentifier>): boolean {
  return (
    (pattern.group ?? '') === identifier.group &&
    pattern.resource === identifier.resource &&
    matchesWildcard(pattern.name, identifier.name) &&
    matchesWildcard(pattern.namespace ?? '', identifier.namespace)
  );
}

/** `*` stands for any run of characters, the empty one too. Matched part by part: a regular expression could be made slow. */
function matchesWildcard(pattern: string, text: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return pattern === text;
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
  let from = head.length;
  for (const part of rest) {
    const at = text.indexOf(part, from);
    if (at < 0 || at + part.length > text.length - tail.length) return false;
    from = at + part.length;
  }
  return true;
}
