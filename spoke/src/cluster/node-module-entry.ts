import { explain, type Module, NodeModuleSpec } from '@kmm-hub/api-types';
import { BUILT_IN_TOLERATIONS, parseKernelVersion, type ResolvedImage, resolveModuleImage } from '@kmm-hub/rules';
import { Compile } from 'typebox/compile';

/** Why a module is not right on a node; `reason` is CamelCase, `message` is for a person and holds the remedy. */
export type Problem = { reason: string; message: string };

export type EntryResult = { entry: NodeModuleSpec } | { problem: Problem };

/** A Module's image for one kernel. `kernel` is what the node says, e.g. "5.14.0-70.el9.x86_64+". */
export type EntryQuestion = { module: Module; kernel: string; serviceAccount: string };

const entryShape = Compile(NodeModuleSpec);

/**
 * What a NodeModulesConfig lists for a Module on a node with this kernel (KMM v2.6 §1.4). Problems: NoKernelMapping, what
 * the rules say (WrongRegexp, ImageWithoutTag, …), InvalidModuleConfig.
 */
export function nodeModuleEntry(question: EntryQuestion): EntryResult {
  const { module, kernel } = question;
  const { namespace = '', name } = module.metadata;
  const container = module.spec.moduleLoader?.container;
  if (container === undefined) return { problem: noMapping(kernel) };
  const parsed = parseKernelVersion(kernel);
  const resolved = parsed.ok
    ? resolveModuleImage({ container, kernel: parsed.value, moduleName: name, moduleNamespace: namespace })
    : parsed;
  if (!resolved.ok) return { problem: { reason: resolved.error.code, message: explain(resolved.error) } };
  if (resolved.value === undefined) return { problem: noMapping(kernel) };
  return checked(entryOf(question, resolved.value));
}

function entryOf({ module, kernel, serviceAccount }: EntryQuestion, image: ResolvedImage): NodeModuleSpec {
  const { metadata, spec } = module;
  const { version, imagePullPolicy, modprobe = {} } = spec.moduleLoader?.container ?? {};
  const { insecure = false, insecureSkipTLSVerify = false } = image.registryTLS ?? {};
  const inTree = image.inTreeModulesToRemove;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    serviceAccountName: serviceAccount,
    ...(spec.imageRepoSecret?.name && { imageRepoSecret: { name: spec.imageRepoSecret.name } }),
    tolerations: [...(spec.tolerations ?? []), ...BUILT_IN_TOLERATIONS],
    ...(version && { version }),
    config: {
      kernelVersion: kernel, // as the node says it: modprobe looks under `uname -r`, a trailing "+" included (W34)
      containerImage: image.image,
      insecurePull: insecure || insecureSkipTLSVerify,
      imagePullPolicy: imagePullPolicy || 'IfNotPresent', // the CRD's default, so that what is stored compares equal
      ...(inTree.length > 0 && { inTreeModulesToRemove: inTree }),
      modprobe,
    },
  };
}

/** One field that the API server refuses would keep every other module of the node from being written. */
function checked(entry: NodeModuleSpec): EntryResult {
  if (entryShape.Check(entry)) return { entry };
  const said = entryShape.Errors(entry).map(({ instancePath, message }) => `${instancePath} ${message}`);
  const message = `${said.slice(0, 3).join(', ')}; correct the field of the Module that it comes from`;
  return { problem: { reason: 'InvalidModuleConfig', message } };
}

function noMapping(kernel: string): Problem {
  const message = `no kernel mapping matches ${kernel}; add one, or wait until the hub has published its image`;
  return { reason: 'NoKernelMapping', message };
}
