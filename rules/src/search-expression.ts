import { LRUCache } from 'lru-cache';
import { RE2JS, RE2JSException } from 're2js';
import { accepted, type RuleResult, refused } from './rule-error.ts';

// A memo and not state: the answer never depends on it. A fleet pass searches the same few expressions per cluster.
const compiledExpressions = new LRUCache<string, RuleResult<RE2JS>>({ max: 1000 });

/**
 * Searches a user's RE2 expression anywhere in the text, unanchored as in Go (KMM v2.6 §3.2), in time linear in the
 * text. WrongRegexp when it does not compile.
 */
export function searchExpression(expression: string, text: string): RuleResult<boolean> {
  const compiled = compiledExpressions.get(expression) ?? compileExpression(expression);
  compiledExpressions.set(expression, compiled);
  return compiled.ok ? accepted(compiled.value.test(text)) : compiled;
}

function compileExpression(expression: string): RuleResult<RE2JS> {
  try {
    return accepted(RE2JS.compile(expression));
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause;
    return refused('WrongRegexp', cause.message, { cause });
  }
}
