import { explain, type FeedbackValue, HubError, type KubeObject } from '@kmm-hub/api-types';
import type { EffectiveConfig } from '../manifests/manifest-config.ts';
import { firstValueAt } from './json-path.ts';
import { wellKnownStatus } from './well-known-status.ts';

export type Feedback = {
  values: FeedbackValue[];
  /** One for each value that could not be read; the others are delivered all the same. */
  problems: string[];
};

class FeedbackError extends HubError {
  override readonly name = 'FeedbackError';
  readonly code = 'FeedbackNotReadable';
  readonly retry = 'never';
  readonly remedy = 'Feed back integers, strings and booleans only, of the version that the manifest has.';
}

type Wanted = { name: string; version?: string; path: string };

/**
 * What the rules read from a live object. No value at the path: left out. A float, a list or a map, or a path for another
 * version: a problem. JSON's 1.0 passes as the integer 1, since JavaScript cannot tell (OCM refuses it).
 */
export function feedbackValues(object: KubeObject, rules: EffectiveConfig['feedbackRules']): Feedback {
  const values = new Map<string, FeedbackValue>(); // of two rules for one name the first: a doubled name breaks the status
  const problems: string[] = [];
  for (const read of rules.flatMap((rule) => readers(object, rule))) {
    try {
      const value = read();
      if (value !== undefined && !values.has(value.name)) values.set(value.name, value);
    } catch (err) {
      if (!(err instanceof HubError)) throw err;
      problems.push(explain(err));
    }
  }
  return { values: [...values.values()], problems };
}

function readers(object: KubeObject, rule: EffectiveConfig['feedbackRules'][number]) {
  if (rule.type === 'JSONPaths') return (rule.jsonPaths ?? []).map((wanted) => () => readValue(object, wanted));
  const known = wellKnownStatus(object);
  if (known !== undefined) return known.map((wanted) => () => readValue(object, wanted));
  return [
    (): never => {
      throw new FeedbackError(`cannot find the wellknown statuses of ${object.apiVersion} ${object.kind}`);
    },
  ];
}

function readValue(object: KubeObject, { name, version, path }: Wanted): FeedbackValue | undefined {
  const live = object.apiVersion?.split('/').at(-1);
  if (version && version !== live) throw new FeedbackError(`value ${name}: version ${version} is not ${live}`);
  const value = firstValueAt(object, path);
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return { name, fieldValue: { type: 'String', string: value } };
  if (typeof value === 'boolean') return { name, fieldValue: { type: 'Boolean', boolean: value } };
  if (Number.isSafeInteger(value)) return { name, fieldValue: { type: 'Integer', integer: value as number } };
  throw new FeedbackError(`value ${name}: what is at ${path} is no integer, string or boolean`);
}
