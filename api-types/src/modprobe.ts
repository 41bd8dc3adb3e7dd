import { type Static, Type } from 'typebox';
import { rules, Text, Texts } from './schema.ts';

const Args = (description: string) =>
  Type.Object(
    {
      load: Type.Optional(Texts('Arguments for loading.', { minItems: 1 })),
      unload: Type.Optional(Texts('Arguments for unloading.', { minItems: 1 })),
    },
    { description },
  );

const DIR_NAME = 'Root of lib/modules/<kernel> in the image.';
const FIRMWARE_PATH = 'Directory of the image whose files are copied to the node.';
const LOADING = 'How the module is loaded and unloaded.';

export const Modprobe = Type.Object(
  {
    moduleName: Type.Optional(Text('Module to load, without .ko.')),
    dirName: Type.Optional(Type.String({ default: '/opt', maxLength: 1024, description: DIR_NAME })),
    parameters: Type.Optional(Texts('Module parameters, e.g. "debug=1".')),
    args: Type.Optional(Args('Inserted before the module name.')),
    rawArgs: Type.Optional(Args('The whole argument list; every other field is ignored.')),
    firmwarePath: Type.Optional(Text(FIRMWARE_PATH, 1024)),
    modulesLoadingOrder: Type.Optional(
      Texts('Module and its dependencies; loaded last to first.', { maxItems: 64, maxLength: 253 }),
    ),
  },
  { description: LOADING },
);
export type Modprobe = Static<typeof Modprobe>;

/** CEL on a path of the image, which is put behind the folder into which the image is unpacked. */
const staysBelowRoot = (field: string) =>
  rules({
    rule: String.raw`self == '' || (self.startsWith('/') && !self.matches(r'(^|/)\.\.(/|$)'))`,
    message: `${field} must be a path that begins with a slash and has no ..; correct it`,
  });

const NAMED = "has(self.moduleName) && self.moduleName != ''";
const ORDERED = 'has(self.modulesLoadingOrder) && size(self.modulesLoadingOrder) > 0';

/** modprobe as a person writes it (KMM v2.6's webhook, rule 8). */
export const CheckedModprobe = Type.Object(
  {
    ...Modprobe.properties,
    dirName: Type.Optional(
      Type.String({ default: '/opt', maxLength: 1024, description: DIR_NAME, ...staysBelowRoot('dirName') }),
    ),
    firmwarePath: Type.Optional(
      Type.String({ maxLength: 1024, description: FIRMWARE_PATH, ...staysBelowRoot('firmwarePath') }),
    ),
  },
  {
    description: LOADING,
    ...rules(
      {
        rule: String.raw`!(${NAMED}) || !self.moduleName.matches(r'/|\.ko(\.[a-z]+)?$')`,
        message: 'moduleName is the path of a file; write the name of the module alone, without folder and .ko',
      },
      {
        rule: `!(${NAMED}) || !has(self.rawArgs) || !(has(self.rawArgs.load) || has(self.rawArgs.unload))`,
        message:
          'moduleName and rawArgs exclude each other; remove rawArgs, or move the name into rawArgs.load and unload',
      },
      {
        rule: `(${NAMED}) || (has(self.rawArgs) && has(self.rawArgs.load) && has(self.rawArgs.unload))`,
        message: 'modprobe says nothing to load; set moduleName, or both rawArgs.load and rawArgs.unload',
      },
      {
        rule: `!(${ORDERED}) || size(self.modulesLoadingOrder) >= 2`,
        message: 'modulesLoadingOrder needs the module and at least one dependency; add it, or remove the list',
      },
      {
        rule: `!(${ORDERED}) || (${NAMED} && self.modulesLoadingOrder[0] == self.moduleName)`,
        message: 'modulesLoadingOrder must begin with moduleName; set moduleName, or put it first',
      },
      {
        rule: `!(${ORDERED}) || self.modulesLoadingOrder.all(a, self.modulesLoadingOrder.exists_one(b, a == b))`,
        message: 'modulesLoadingOrder names a module twice; remove one of the two',
      },
    ),
  },
);
