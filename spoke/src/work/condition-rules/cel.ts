import { type CelInput, CelScalar, celEnv, celFunc, isCelError, isCelList, isCelMap, parse, plan } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { explain } from '@kmm-hub/api-types';
import { CelError } from './cel-error.ts';

/** OCM's own function: whether a status has conditions at all. */
const hasConditions = celFunc('hasConditions', [CelScalar.DYN], CelScalar.BOOL, (status) => {
  const conditions = isCelMap(status) ? status.get('conditions') : undefined;
  return isCelList(conditions) && conditions.size > 0;
});

/** Regular expressions are RE2's, and strings has the extensions of that name; Kubernetes' other libraries are not there. */
const env = celEnv({ funcs: [...strings, hasConditions] });

export type CelBindings = Record<string, unknown>;

/** The value of an expression over JSON values; integers come as bigint. @throws CelError */
export function evaluateCel(expression: string, bindings: CelBindings): unknown {
  const value = failingAsCelError(expression, () => plan(env, parse(expression))(celInputs(bindings)));
  if (isCelError(value)) throw new CelError(`expression ${expression}: ${value.message}`);
  return value;
}

function failingAsCelError<T>(expression: string, evaluate: () => T): T {
  try {
    return evaluate();
  } catch (err) {
    throw new CelError(`expression ${expression}: ${explain(err)}`, { cause: err });
  }
}

function celInputs(bindings: CelBindings): Record<string, CelInput> {
  return Object.fromEntries(Object.entries(bindings).map(([name, value]) => [name, celInput(value)]));
}

/** JSON's whole numbers are CEL's int, as Kubernetes has it; JavaScript's numbers would all be double. */
function celInput(value: unknown): CelInput {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(celInput);
  if (typeof value !== 'object' || value === null) return value as CelInput;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return new Map(entries.map(([key, inner]) => [key, celInput(inner)]));
}
