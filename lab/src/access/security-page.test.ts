import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkout } from '../host/config.ts';

// docs/security.md is worth what its last column is worth: each test that it names must be there under that name. Sources are
// read, not run, since running them takes servers. In a citation "…" stands for whatever the title says there.

/** What the page calls "the table". */
const ROLES = 'lab/test/roles.integration.test.ts';

type Citation = { file: string; title: string };

const contentOf = (path: string) => readFileSync(join(checkout, path), 'utf8');
const isSource = (path: string) => path.endsWith('.ts') && existsSync(join(checkout, path));
const page = contentOf('docs/security.md');
const sections = page.split(/^## /m).map((text) => ({
  text,
  citations: (part: string) => citationsIn(part, /titles\s+are of `([^`]+)`/.exec(text)?.[1] ?? ''),
}));

/** Italics are titles, of the file that was named last. */
function citationsIn(text: string, file: string): Citation[] {
  const citations: Citation[] = [];
  for (const [word, path, title] of text.matchAll(/`([\w./-]+\.ts)`|`[^`]*`|the\s+table\b|_([^_]+)_/gi)) {
    if (path !== undefined) file = path;
    else if (title !== undefined) citations.push({ file, title: title.replace(/\s+/g, ' ') });
    else if (!word.startsWith('`')) file = ROLES;
  }
  return citations;
}

/** Rows of the tables that have a column of tests. */
function threats(): { threat: string; tests: Citation[] }[] {
  return sections.flatMap(({ text, citations }) => {
    const [header = [], _line, ...rows] = [...text.matchAll(/^\| (.*) \|$/gm)].map(([, row = '']) => row.split(' | '));
    if (header.at(-1)?.trim() !== 'test') return [];
    return rows.map((cells) => ({ threat: cells[0]?.trim() ?? '', tests: citations(cells.at(-1) ?? '') }));
  });
}

const TITLE = /\b(test|describe)(?:\.\w+\b[\s\S]*?\))?\(\s*(?:'([^']*)'|"([^"]*)"|`([^`]*)`)/g;
/** What vitest fills in from a row. */
const BLANK = /%[sdifjo]|\$[\w.]+/;

/** Whether a test of this title is in the source; its `describe` may stand before it. */
function hasTest(source: string, citation: string): boolean {
  const found = [...source.matchAll(TITLE)].map(([, kind, ...quoted]) => ({ kind, text: quoted.join('') }));
  const outer = found.flatMap(({ kind, text }) => (kind === 'describe' ? [`${text} `] : []));
  const titles = found.flatMap(({ kind, text }) => (kind === 'test' && !isOfRoles(text) ? [text] : []));
  const whole = [...rolesTitles(source), ...titles];
  return ['', ...outer].some((before) => whole.some((title) => isMeant(citation, before + title, source)));
}

/** By its own "…", or by the blanks of the title: what they are filled with must then be a word of the source. */
function isMeant(citation: string, title: string, source: string): boolean {
  if (pattern(citation.split('…')).test(title)) return true;
  const [, ...words] = pattern(title.split(BLANK)).exec(citation) ?? [];
  return words.length > 0 && words.every((word) => source.includes(`'${word}'`));
}

const pattern = (parts: readonly string[]) => new RegExp(`^${parts.map(RegExp.escape).join('(.+)')}$`);

const isOfRoles = (title: string) => title.startsWith('%s: %s may ');

/** Titles of the table, made as it makes them: of a row's name and of who may. */
function rolesTitles(source: string): string[] {
  return [...source.matchAll(/test\.each\(rows\((\w+)\)\)\('%s: %s (may \w+)'/g)].flatMap(([, name, can]) => {
    const [, table = ''] = new RegExp(`^const ${name}: .*? = \\{\\n([\\s\\S]*?)^\\};`, 'm').exec(source) ?? [];
    const rows = table.matchAll(/^ {2}(?:'([^']+)'|(\w+)): \{([\s\S]*?)(?=^ {2}\S+.*: \{|(?![\s\S]))/gm);
    return [...rows].map(([, quoted, plain, row = '']) => {
      const may = /\bmay: \[([^\]]*)\]/.exec(row)?.[1]?.replaceAll("'", '') ?? 'nobody';
      return `${quoted ?? plain}: ${may} ${can}`;
    });
  });
}

test('every threat of a table names the test of what holds it', () => {
  const rows = threats();
  expect(rows.length).toBeGreaterThan(40);
  expect(rows.filter(({ tests }) => tests.length === 0).map(({ threat }) => threat)).toEqual([]);
});

test('every file that the page names is there', () => {
  const named = [...page.matchAll(/`([\w-]+\/[\w./-]+\.(?:ts|yaml))`/g)].map(([, path = '']) => path);
  const linked = [...page.matchAll(/\]\(([^)#]+)\)/g)].map(([, path = '']) => join('docs', path));
  expect([...named, ...linked].filter((path) => !existsSync(join(checkout, path)))).toEqual([]);
});

test('every test that the page names is there under that name', () => {
  const last = sections.at(-1);
  const cited = [...threats().flatMap(({ tests }) => tests), ...(last?.citations(last.text) ?? [])];
  const isThere = ({ file, title }: Citation) => isSource(file) && hasTest(contentOf(file), title);
  expect(cited.filter((citation) => !isThere(citation))).toEqual([]);
});

test.each([
  ['all Secrets of the hub: worker may read', true],
  ['all Secrets of the hub: nobody may read', false],
  ['a Secret of the hub: nobody may write', true],
  ['a Secret of the hub: worker may write', false],
  ['more rights: nobody may write', true],
])('who may is part of a title: that the table has "%s" is %s', (title, isOne) => {
  expect(hasTest(contentOf(ROLES), title)).toBe(isOne);
});
