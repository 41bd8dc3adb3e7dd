import { accepted, RuleError, type RuleResult } from '../../rule-error.ts';
import { quote } from '../numbers.ts';
import type { MatchedElement } from '../term.ts';
import { runTemplate } from './evaluate.ts';
import { parseTemplate } from './parse.ts';
import { type Dict, templateError, trimSpace, type Value } from './values.ts';

/** What matched, by the two parts of the feature's name as the rule spells it: "pci", "device". */
export type MatchedFeatures = ReadonlyMap<string, ReadonlyMap<string, readonly MatchedElement[]>>;

/**
 * Runs a template once for each of `matches` and merges what they write, the later over the earlier. A line is
 * `key=value`, trimmed; blank ones are skipped (NFD v0.19 §5.5). WrongFeatureTemplate: what is not understood, a field
 * that did not match, a line without "=", too much work. See `parseTemplate` for the language.
 */
export function expandTemplates(
  template: string,
  matches: readonly MatchedFeatures[],
): RuleResult<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  try {
    const nodes = parseTemplate(template);
    for (const match of matches) {
      for (const [key, value] of readLines(runTemplate(nodes, toData(match)))) values.set(key, value);
    }
    return accepted(values);
  } catch (error) {
    if (error instanceof RuleError) return { ok: false, error };
    throw error;
  }
}

function readLines(text: string): [key: string, value: string][] {
  return text
    .split('\n')
    .map(trimSpace)
    .filter((line) => line !== '')
    .map((line) => {
      const end = line.indexOf('=');
      if (end < 0) throw templateError(`the line ${quote(line)} is not key=value`);
      return [line.slice(0, end), line.slice(end + 1)];
    });
}

const EMPTY_SETS: Dict = { entries: new Map(), missing: [] };

function toData(matched: MatchedFeatures): Dict {
  return dict(matched, EMPTY_SETS, (sets) => dict(sets, [], (elements) => elements.map(toElement)));
}

function toElement(element: MatchedElement): Dict {
  return dict(new Map(Object.entries(element)), '', (value) => value);
}

function dict<T>(entries: ReadonlyMap<string, T>, missing: Value, toValue: (item: T) => Value): Dict {
  return { entries: new Map([...entries].map(([key, item]) => [key, toValue(item)])), missing };
}
