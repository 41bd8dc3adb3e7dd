import { expect, test } from 'vitest';
import { parseHubConfig } from './hub-config.ts';

/** What was parsed, and what the log says, fields and words together. */
function parse(text: string | undefined) {
  const warnings: string[] = [];
  const warn = (...args: unknown[]) =>
    void warnings.push(args.map((arg) => (typeof arg === 'string' ? arg : JSON.stringify(arg))).join(' '));
  return { ...parseHubConfig(text, { warn, info: warn } as never), warnings };
}
const entry = { regexp: '^6\\.', image: 'r.example/dtk:1' };

test.each<[string, string | undefined, ReturnType<typeof parse>]>([
  ['no file is an empty catalogue', undefined, { toolkitCatalogue: [], warnings: [] }],
  ['an empty file is an empty catalogue', '', { toolkitCatalogue: [], warnings: [] }],
  [
    'the catalogue is read',
    `toolkitCatalogue: [${JSON.stringify(entry)}]`,
    { toolkitCatalogue: [entry], warnings: [] },
  ],
  [
    "upstream's keys are no mistake, and are told to change nothing",
    'webhookPort: 9443\nworker: {setFirmwareClassPath: /x}',
    {
      toolkitCatalogue: [],
      warnings: ['webhookPort', 'worker'].map(
        (key) => `{"key":"${key}"} this key of upstream has no effect here: flags take its place`,
      ),
    },
  ],
  [
    'an unknown key is warned of, and the rest counts (W17)',
    `colour: red\ntoolkitCatalogue: [${JSON.stringify(entry)}]`,
    { toolkitCatalogue: [entry], warnings: ['{"key":"colour"} unknown configuration key'] },
  ],
  [
    'an entry without an image is left out',
    `toolkitCatalogue: [{regexp: a}, ${JSON.stringify(entry)}]`,
    { toolkitCatalogue: [entry], warnings: ['an entry of toolkitCatalogue has no regexp or no image; it is left out'] },
  ],
  [
    'a text is no configuration',
    'hello',
    { toolkitCatalogue: [], warnings: ['controller_config.yaml is no mapping; defaults are used'] },
  ],
  [
    'a list is no configuration',
    '[a]',
    { toolkitCatalogue: [], warnings: ['controller_config.yaml is no mapping; defaults are used'] },
  ],
])('%s (%j)', (_rule, text, want) => {
  expect(parse(text)).toEqual(want);
});

test('what is no YAML is warned of, and defaults are used', () => {
  const { toolkitCatalogue, warnings } = parse('a: [');
  expect(toolkitCatalogue).toEqual([]);
  expect(warnings).toEqual([expect.stringContaining('controller_config.yaml is no YAML; defaults are used')]);
});
