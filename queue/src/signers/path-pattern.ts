import { RE2JS } from 're2js';

/** One entry of filesToSign: where in the image to look, and what is meant there. Paths without leading slash. */
export type PathPattern = { entry: string; folder: string; matches(path: string): boolean };

/**
 * A shell pattern as the sign step of upstream expands it: `*` and `?` never match a slash nor a leading dot, `[…]` and
 * `[!…]` are sets; a path that is literally the entry matches too. Linear in time for any entry (RE2).
 */
export function pathPattern(entry: string): PathPattern {
  const parts = entry.split('/').filter(Boolean);
  const literal = parts.findIndex((part) => /[*?[]/.test(part));
  const folder = parts.slice(0, literal === -1 ? parts.length : literal).join('/');
  const expression = RE2JS.compile(parts.map(partExpression).join('/'));
  const exact = parts.join('/');
  const dotsMeant = (path: string) =>
    path.split('/').every((part, at) => !part.startsWith('.') || parts[at]?.startsWith('.'));
  return { entry, folder, matches: (path) => path === exact || (expression.matches(path) && dotsMeant(path)) };
}

/** Exactly one path, whatever characters it holds. */
export function exactPath(entry: string, path: string): PathPattern {
  return { entry, folder: path, matches: (candidate) => candidate === path };
}

function partExpression(part: string): string {
  const pieces = part.matchAll(/\[(!?)(\]?[^\]]*)\]|([*?])|([^*?[]+|\[)/g);
  const translated = [...pieces].map(([, not = '', set = '', wildcard = '', text = '']) => {
    if (set !== '') return `[${not && '^'}${set.replaceAll(/[\\[\]^]/g, '\\$&')}]`;
    if (wildcard !== '') return wildcard === '*' ? '[^/]*' : '[^/]';
    return RE2JS.quote(text);
  });
  return translated.join('');
}
