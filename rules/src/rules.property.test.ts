import type { ModuleLoaderContainer } from '@kmm-hub/api-types';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { declaredBuildArgs } from './build-args.ts';
import { formatKernelVersionsClaim, parseKernelVersionsClaim } from './claim.ts';
import { checkClusterVersion } from './cluster-version.ts';
import { findKernelMapping } from './kernel-mapping.ts';
import {
  dnsSafeKernelVersion,
  normaliseKernelVersion,
  parseKernelVersion,
  type TrimmedKernelVersion,
  trimKernelVersion,
} from './kernel-version.ts';
import { isLabelKey, isLabelValue } from './label.ts';
import { resolveModuleImage } from './resolve-image.ts';
import { RuleError } from './rule-error.ts';
import { substituteTemplate } from './template.ts';
import { findToolkitImage } from './toolkit-catalogue.ts';

const variables = new Map([
  ['A', 'alpha'],
  ['EMPTY', ''],
]);
const text = fc.string({ unit: 'binary', maxLength: 200 });
/** Text made of a language's own signs finds more paths than text by chance. */
const textOf = (...signs: string[]) =>
  fc.array(fc.oneof(fc.constantFrom(...signs), text), { maxLength: 40 }).map((parts) => parts.join(''));
const template = textOf('$', '{', '}', '${', 'A', 'EMPTY', 'none', ':-', '-', ':=', '=', ':+', '+', '\n');
const expression = textOf('(', ')', '[', ']', '*', '+', '?', '{1000}', '\\', '|', '^', '$', '.', '(?', 'P<', '\\p');
const dockerfile = textOf('ARG', ' ', '\n', '\\', '\\\n', '"', "'", '#', '# escape=`\n', '=', 'NAME');
const kernelText = fc.stringMatching(/^[0-9A-Za-z][0-9A-Za-z._+~-]{2,63}$/);
const kernel = kernelText.map((raw) => {
  const parsed = parseKernelVersion(raw);
  if (!parsed.ok) throw parsed.error;
  return parsed.value;
});

/** Far beyond every limit of the CRDs; a rule that is not linear does not come to an end with these. */
const LONG = 200_000;
const long = (unit: string) => unit.repeat(LONG);

test('a template without a dollar sign stays as it is', () => {
  const plain = text.map((any) => any.replaceAll('$', ''));
  fc.assert(
    fc.property(plain, (given) => {
      expect(substituteTemplate(given, variables)).toEqual({
        ok: true,
        value: { text: given, unset: [], ignored: [] },
      });
    }),
  );
});

test('any text survives a template when its dollar signs are doubled', () => {
  fc.assert(
    fc.property(template, (given) => {
      const escaped = given.replaceAll('$', '$$$$');
      expect(substituteTemplate(escaped, variables)).toMatchObject({ ok: true, value: { text: given, unset: [] } });
    }),
  );
});

test('any template gives a text or a RuleError, and each empty variable is one that is not known', () => {
  fc.assert(
    fc.property(template, (given) => {
      const result = substituteTemplate(given, variables);
      if (!result.ok) expect(result.error).toBeInstanceOf(RuleError);
      else expect(result.value.unset.filter((name) => variables.has(name))).toEqual([]);
    }),
  );
});

test('any expression is searched or refused with a RuleError', () => {
  fc.assert(
    fc.property(expression, kernel, (regexp, raw) => {
      const found = findKernelMapping([{ regexp }], trimKernelVersion(raw));
      if (!found.ok) expect(found.error).toMatchObject({ code: 'WrongRegexp', retry: 'never' });
    }),
  );
});

test('a literal of the trimmed kernel always matches', () => {
  fc.assert(
    fc.property(kernel, (raw) => {
      const literal = trimKernelVersion(raw);
      expect(findKernelMapping([{ literal }], literal)).toMatchObject({ ok: true, value: { index: 0 } });
    }),
  );
});

test('every form of a kernel holds its own characters only', () => {
  fc.assert(
    fc.property(kernel, (raw) => {
      const trimmed = trimKernelVersion(raw);
      expect(raw.startsWith(trimmed) && raw.length - trimmed.length).toBe(raw.endsWith('+') ? 1 : 0);
      expect(normaliseKernelVersion(trimmed)).toMatch(/^[A-Za-z0-9._-]+$/);
      expect(dnsSafeKernelVersion(trimmed)).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
    }),
  );
});

test('a claim holds every kernel or says which not, and reads back as what it holds', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(kernelText, text), { maxLength: 60 }), (reported) => {
      const { value = '', omitted, invalid } = formatKernelVersionsClaim(reported);
      expect(value.length).toBeLessThanOrEqual(1024);
      const { kernels } = parseKernelVersionsClaim(value);
      expect([...kernels, ...omitted, ...invalid].sort()).toEqual([...new Set(reported)].sort());
      expect(formatKernelVersionsClaim(kernels).value ?? '').toBe(value);
    }),
  );
});

test('any Dockerfile declares names that are identifiers, each once', () => {
  fc.assert(
    fc.property(dockerfile, (given) => {
      const names = declaredBuildArgs(given);
      expect(names).toEqual([...new Set(names)].filter((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)));
    }),
  );
});

test('any text is a label key or none, and the name in one is a label value', () => {
  fc.assert(
    fc.property(fc.oneof(textOf('a', 'B', '.', '-', '_', '/', 'example.com'), text), (key) => {
      const name = key.slice(key.indexOf('/') + 1);
      expect(isLabelKey(key) && !isLabelValue(name)).toBe(false);
      if (isLabelValue(key) && key !== '') expect(isLabelKey(key)).toBe(true);
    }),
  );
});

test('any version of a cluster is enough for dra, or too old', () => {
  const dra = { container: { image: 'r/driver:1' }, driverName: 'gpu.example.com' };
  fc.assert(
    fc.property(fc.oneof(textOf('v', '1', '.', '34', '33', '-rc.1', '+k3s1'), text), (version) => {
      const checked = checkClusterVersion({ dra }, version);
      if (!checked.ok) expect(checked.error).toMatchObject({ code: 'ClusterTooOld', retry: 'never' });
      expect(checkClusterVersion({}, version).ok).toBe(true);
    }),
  );
});

test('any container resolves to an image with a tag, to nothing or to a RuleError', () => {
  const container: fc.Arbitrary<ModuleLoaderContainer> = fc.record({
    modprobe: fc.constant({}),
    containerImage: template,
    kernelMappings: fc.array(fc.record({ regexp: expression, containerImage: fc.option(template, { nil: '' }) })),
    sign: fc.record({
      keySecret: fc.constant({ name: 'key' }),
      certSecret: fc.constant({ name: 'cert' }),
      unsignedImage: template,
      filesToSign: fc.array(template, { maxLength: 3 }),
    }),
  });
  fc.assert(
    fc.property(container, kernel, (given, raw) => {
      const result = resolveModuleImage({ container: given, kernel: raw, moduleName: 'm', moduleNamespace: 'n' });
      if (!result.ok) expect(result.error).toBeInstanceOf(RuleError);
      else if (result.value) expect(result.value.image).toMatch(/[:@]/);
    }),
  );
});

test.each(['$', '$$', '${', '$A', '${A', '${A:-', '${A:-$A', '${A}', 'A', '${A:-x$', '${A/'])(
  'a template of many %s comes to an end',
  (unit) => {
    const units = [long(unit), `\${${long(unit)}`, `\${A:-${long(unit)}`, `\${A:-${long(unit)}}`];
    expect(units.map((given) => typeof substituteTemplate(given, variables).ok)).toEqual(units.map(() => 'boolean'));
  },
);

test.each(['ARG', 'ARG ', 'ARG A\n', 'ARG "', `ARG "'`, '\\\n', '"', "'", '"\\', ' ', '#\n', '# escape', '='])(
  'a Dockerfile of many %j comes to an end',
  (unit) => {
    expect(declaredBuildArgs(long(unit)).length).toBeLessThanOrEqual(1);
    expect(declaredBuildArgs(`ARG ${long(unit)}`).length).toBeLessThanOrEqual(2);
  },
);

test.each(['a', 'a-', 'a.', 'a/', '1.'])('a label and a version of many %s come to an end', (unit) => {
  expect([isLabelKey(long(unit)), isLabelValue(long(unit))]).toEqual([false, false]);
  expect(checkClusterVersion({}, long(unit)).ok).toBe(true);
});

test.each(['(a+)+$', '(a|aa)+$', '(.*a){20}$', '(a*)*b'])(
  'the expression %s, which backtracking never ends, comes to an end on a long text',
  (regexp) => {
    const found = findKernelMapping([{ regexp }], `${long('a')}!` as TrimmedKernelVersion);
    expect(found).toEqual({ ok: true, value: undefined });
  },
);

test.each(['(', '()', '[a', 'a|', '(?:', 'a{9}'])('an expression of many %s is searched or refused', (unit) => {
  const found = findToolkitImage(
    [{ regexp: long(unit).slice(0, 20_000), image: 'r:1' }],
    '6.1.0' as TrimmedKernelVersion,
  );
  if (!found.ok) expect(found.error).toBeInstanceOf(RuleError);
});
