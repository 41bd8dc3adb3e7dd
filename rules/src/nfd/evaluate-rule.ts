import type { Features } from '@kmm-hub/api-types';
import { accepted, type RuleResult, refused } from '../rule-error.ts';
import type { FeatureRule, FeatureTerm } from './feature-rule.ts';
import { quote } from './numbers.ts';
import { expandTemplates, type MatchedFeatures } from './template/expand.ts';
import { type MatchedElement, matchTerm } from './term.ts';

/** Names and values of one rule that matched; its own fields already over those of its templates. */
export type RuleMatch = { rule: FeatureRule; labels: Record<string, string>; vars: Record<string, string> };

/**
 * Evaluates one rule (NFD v0.19 §5.1): one of `matchAny` and all of `matchFeatures` must match; one that has neither
 * always does. `undefined` when it does not match. Templates run for each element of `matchAny` that matches and for
 * `matchFeatures`. Errors: those of its expressions, up to the term that does not match, and of its templates.
 */
export function evaluateRule(rule: FeatureRule, features: Features): RuleResult<RuleMatch | undefined> {
  const matches = matchRule(rule, features);
  if (!matches.ok) return matches;
  if (matches.value === undefined) return accepted(undefined);
  const labels = expand('labelsTemplate', rule.labelsTemplate, matches.value);
  if (!labels.ok) return labels;
  const vars = expand('varsTemplate', rule.varsTemplate, matches.value);
  if (!vars.ok) return vars;
  return accepted({ rule, labels: { ...labels.value, ...rule.labels }, vars: { ...vars.value, ...rule.vars } });
}

/** What each part of the rule matched, or `undefined`. */
function matchRule(rule: FeatureRule, features: Features): RuleResult<MatchedFeatures[] | undefined> {
  const any = rule.matchAny?.length ? matchAlternatives(rule, features) : accepted([]);
  if (!any.ok || any.value === undefined || !rule.matchFeatures?.length) return any;
  const all = matchTerms(rule.matchFeatures, features, 'matchFeatures');
  return all.ok ? accepted(all.value && [...any.value, all.value]) : all;
}

/** The elements of `matchAny` that match. Without templates the first is enough, and the others are not looked at. */
function matchAlternatives(rule: FeatureRule, features: Features): RuleResult<MatchedFeatures[] | undefined> {
  const isOneEnough = !rule.labelsTemplate && !rule.varsTemplate;
  const matches: MatchedFeatures[] = [];
  for (const [index, { matchFeatures }] of (rule.matchAny ?? []).entries()) {
    const match = matchTerms(matchFeatures, features, `matchAny[${index}].matchFeatures`);
    if (!match.ok) return match;
    if (match.value) matches.push(match.value);
    if (match.value && isOneEnough) break;
  }
  return accepted(matches.length > 0 ? matches : undefined);
}

/** All terms must match; the first that does not ends the search. `place` is for messages. */
function matchTerms(
  terms: readonly FeatureTerm[],
  features: Features,
  place: string,
): RuleResult<MatchedFeatures | undefined> {
  const matched = new Map<string, Map<string, MatchedElement[]>>();
  for (const [index, term] of terms.entries()) {
    const match = matchTerm(term, features);
    if (!match.ok) {
      const { error } = match;
      return refused(error.code, `${place}[${index}] ${quote(term.feature)}: ${error.message}`, { cause: error });
    }
    if (!match.value.matched) return accepted(undefined);
    const [domain = '', ...set] = term.feature.split('.');
    const sets = matched.get(domain) ?? new Map<string, MatchedElement[]>();
    const elements = sets.get(set.join('.')) ?? [];
    for (const element of match.value.elements) elements.push(element);
    matched.set(domain, sets.set(set.join('.'), elements));
  }
  return accepted(matched);
}

function expand(
  field: string,
  template: string | undefined,
  matches: readonly MatchedFeatures[],
): RuleResult<Record<string, string>> {
  if (!template || matches.length === 0) return accepted({}); // without a match upstream does not even parse it
  const values = expandTemplates(template, matches);
  if (!values.ok) return refused(values.error.code, `${field}: ${values.error.message}`, { cause: values.error });
  return accepted(Object.fromEntries(values.value));
}
