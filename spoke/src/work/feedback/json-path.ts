import { explain, HubError } from '@kmm-hub/api-types';
import { type JSONValue, jsonpath } from 'json-p3';

/** A feedback rule's path cannot be read. */
export class JsonPathError extends HubError {
  override readonly name = 'JsonPathError';
  readonly code = 'InvalidJsonPath';
  readonly retry = 'never';
  readonly remedy = 'Correct the path in manifestConfigs of the ManifestWork; the dialect is that of kubectl.';
}

/**
 * The first value at a path of Kubernetes' dialect, e.g. `.status.conditions[?(@.type=="Ready")].status`; `undefined` when
 * there is none. The path runs from the root of the object.
 * @throws JsonPathError
 */
export function firstValueAt(object: unknown, path: string): unknown {
  try {
    return jsonpath.query(toStandardPath(path), object as JSONValue).values()[0];
  } catch (err) {
    throw new JsonPathError(`path ${path}: ${explain(err)}`, { cause: err });
  }
}

/** A recursive `..`, a name (`\.` is a dot in it) or a wildcard after a dot, or a whole bracket with the strings in it. */
const step = /\.\.|\.\*|\.?((?:\\.|[^.[\\])+)|\[(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\[[^\]]*\]|[^\]'"[])*\]/gy;

/** Kubernetes' dialect → RFC 9535, which has no implied root, no escaped dot, and few characters in a name after a dot. */
export function toStandardPath(path: string): string {
  const steps = [...path.trim().replace(/^\$/, '').matchAll(step)];
  const read = steps.map(([text]) => text).join('');
  if (read !== path.trim().replace(/^\$/, '')) throw new JsonPathError(`path ${path} cannot be read`);
  const standard = steps.map(([text, name]) => (name === undefined ? text : quoted(name)));
  return `$${standard.join('')}`;
}

function quoted(name: string): string {
  const plain = name.replace(/\\(.)/g, '$1');
  return plain === '*' ? '[*]' : `['${plain.replace(/[\\']/g, '\\$&')}']`;
}
