import { type Static, Type } from 'typebox';
import { Build, CheckedSign, TlsOptions } from './build-sign.ts';
import { type Rule, rules, Text, Texts } from './schema.ts';

/** Fields that stand both in a mapping and in the container. */
export const inTreeFields = {
  inTreeModulesToRemove: Type.Optional(Texts('In-tree modules that are unloaded first.')),
  inTreeModuleToRemove: Type.Optional(Text('Deprecated single form; never together with the list.')),
};

/** CEL: the object has the list, or the deprecated single form, of in-tree modules. */
export const hasInTreeList = (object: string) =>
  `has(${object}.inTreeModulesToRemove) && size(${object}.inTreeModulesToRemove) > 0`;
export const hasInTreeSingle = (object: string) =>
  `has(${object}.inTreeModuleToRemove) && ${object}.inTreeModuleToRemove != ''`;

/** KMM v2.6's webhook, rules 6 and 7, for what stands both in a mapping and in the container. */
export const imageRules: Rule[] = [
  {
    // A colon before the last slash is a registry's port, which upstream takes for a tag; a template may hold slashes.
    rule: String.raw`!has(self.containerImage) || self.containerImage == '' || self.containerImage.matches(r'(@|:([^/]|\$\{[^}]*\})*$)')`,
    message: 'containerImage has neither tag nor digest; add a tag such as :${KERNEL_FULL_VERSION}, or a digest',
  },
  {
    rule: `!(${hasInTreeList('self')} && ${hasInTreeSingle('self')})`,
    message:
      'inTreeModulesToRemove and inTreeModuleToRemove exclude each other; keep the list and remove inTreeModuleToRemove',
  },
];

export const KernelMapping = Type.Object(
  {
    literal: Type.Optional(Text('The kernel version itself.')),
    regexp: Type.Optional(Text('RE2 expression searched in the kernel version; not anchored.', 1024)),
    containerImage: Type.Optional(
      Text('Image for these kernels; templates allowed. Empty: the container-level one.', 512),
    ),
    build: Type.Optional(Build),
    sign: Type.Optional(CheckedSign),
    registryTLS: Type.Optional(TlsOptions),
    ...inTreeFields,
  },
  {
    description: 'Which image serves which kernels. The first entry that matches wins.',
    ...rules(
      {
        rule: "(has(self.literal) && self.literal != '') != (has(self.regexp) && self.regexp != '')",
        message: 'a kernel mapping needs exactly one of literal and regexp; remove one, or set one',
      },
      {
        // CEL's own engine is RE2 too: an expression that it cannot compile ends the rule with an error, which refuses the object.
        rule: "!has(self.regexp) || ''.matches(self.regexp) in [true, false]",
        message: 'regexp is not an RE2 expression; correct it (RE2 has no look-around and no back-references)',
      },
      ...imageRules,
    ),
  },
);
export type KernelMapping = Static<typeof KernelMapping>;
