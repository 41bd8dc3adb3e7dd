import type { Build, KernelMapping, ModuleLoaderContainer, Sign } from '@kmm-hub/api-types';
import { inheritMapping } from './inheritance.ts';
import { findKernelMapping } from './kernel-mapping.ts';
import {
  normaliseKernelVersion,
  type RawKernelVersion,
  type TrimmedKernelVersion,
  trimKernelVersion,
} from './kernel-version.ts';
import { accepted, type RuleResult, refused } from './rule-error.ts';
import { substituteTemplate } from './template.ts';
import { kernelVariables } from './template-variables.ts';

const DEFAULT_DIR_NAME = '/opt';

/** Which image a module wants for one kernel, and how that image is made. */
export type ResolvedImage = {
  kernelVersion: TrimmedKernelVersion;
  /** Reference with a tag or a digest, e.g. "registry.example.com/kmod:6.1.0-53-amd64". */
  image: string;
  /** User's build arguments only; see `automaticBuildArgs`. */
  build?: Build;
  sign?: Sign & { filesToSign: string[] };
  registryTLS?: NonNullable<KernelMapping['registryTLS']>;
  inTreeModulesToRemove: string[];
  /** Root of lib/modules/<kernel> in the image. */
  dirName: string;
  /** Sentences for a person: what was left empty or ignored. The image is used all the same, as upstream would. */
  warnings: string[];
};

/** A module, by the one name and namespace it has everywhere (W2: MCM name and spokeNamespace), and a kernel. */
export type ModuleImageQuestion = {
  container: ModuleLoaderContainer;
  kernel: RawKernelVersion;
  moduleName: string;
  moduleNamespace: string;
};

/**
 * The image that serves a kernel: first matching mapping, inheritance, then templates (KMM v2.6 §3.2–3.4). `undefined`:
 * no mapping matches, the kernel is not targeted. Errors: WrongRegexp, WrongTemplate, WrongKernelVersion,
 * ContainerImageMissing, ImageWithoutTag (by upstream's naive rule: "registry:5000/kmod" passes, §1.10).
 *
 * `containerImage` and `unsignedImage` get the normalised kernel; `filesToSign` the trimmed one, and all three get
 * MOD_NAME and MOD_NAMESPACE. Upstream normalises paths too, so that they point nowhere, and leaves both names empty
 * in what is signed (W29).
 */
export function resolveModuleImage(question: ModuleImageQuestion): RuleResult<ResolvedImage | undefined> {
  const { container } = question;
  const kernelVersion = trimKernelVersion(question.kernel);
  const found = findKernelMapping(container.kernelMappings, kernelVersion);
  if (!found.ok) return found;
  if (found.value === undefined) return accepted(undefined);

  const inherited = inheritMapping(container, found.value.mapping);
  const filling = templateFilling(question, kernelVersion);
  if (!filling.ok) return filling;
  const { fillImage, fillPath, warnings } = filling.value;

  const image = resolveContainerImage(inherited.containerImage, found.value.index, fillImage);
  if (!image.ok) return image;
  const sign = inherited.sign ? resolveSign(inherited.sign, { fillImage, fillPath }) : accepted(undefined);
  if (!sign.ok) return sign;
  return accepted({
    kernelVersion,
    image: image.value,
    ...(inherited.build && { build: inherited.build }),
    ...(sign.value && { sign: sign.value }),
    ...(inherited.registryTLS && { registryTLS: inherited.registryTLS }),
    inTreeModulesToRemove: inherited.inTreeModulesToRemove,
    dirName: container.modprobe.dirName || DEFAULT_DIR_NAME,
    warnings,
  });
}

/** Fills a template of the named field in. */
type Fill = (field: string, template: string) => RuleResult<string>;

/** The two ways to fill templates in, and the warnings that both add to. */
function templateFilling(
  { moduleName, moduleNamespace }: ModuleImageQuestion,
  kernel: TrimmedKernelVersion,
): RuleResult<{ fillImage: Fill; fillPath: Fill; warnings: string[] }> {
  const imageVariables = kernelVariables(normaliseKernelVersion(kernel));
  const pathVariables = kernelVariables(kernel);
  if (!imageVariables.ok) return imageVariables;
  if (!pathVariables.ok) return pathVariables;
  const warnings: string[] = [];
  const fillWith = (variables: Map<string, string>): Fill => {
    const all = new Map([...variables, ['MOD_NAME', moduleName], ['MOD_NAMESPACE', moduleNamespace]]);
    return (field, template) => {
      const filled = substituteTemplate(template, all);
      if (!filled.ok) return refused(filled.error.code, `${field}: ${filled.error.message}`, { cause: filled.error });
      warnings.push(
        ...filled.value.unset.map((name) => `${field}: variable ${name} is not known and became empty`),
        ...filled.value.ignored.map((text) => `${field}: "${text}" after a variable's name is ignored`),
      );
      return accepted(filled.value.text);
    };
  };
  return accepted({ fillImage: fillWith(imageVariables.value), fillPath: fillWith(pathVariables.value), warnings });
}

function resolveContainerImage(template: string | undefined, index: number, fill: Fill): RuleResult<string> {
  if (!template) return refused('ContainerImageMissing', `kernelMappings[${index}] has no containerImage`);
  const image = fill('containerImage', template);
  if (!image.ok || /[:@]./.test(image.value)) return image;
  return refused('ImageWithoutTag', `containerImage ${JSON.stringify(image.value)} has neither a tag nor a digest`);
}

function resolveSign(
  sign: Sign,
  { fillImage, fillPath }: { fillImage: Fill; fillPath: Fill },
): RuleResult<Sign & { filesToSign: string[] }> {
  const filesToSign: string[] = [];
  for (const [index, template] of (sign.filesToSign ?? []).entries()) {
    const path = fillPath(`filesToSign[${index}]`, template);
    if (!path.ok) return path;
    filesToSign.push(path.value);
  }
  if (!sign.unsignedImage) return accepted({ ...sign, filesToSign });
  const unsignedImage = fillImage('unsignedImage', sign.unsignedImage);
  return unsignedImage.ok ? accepted({ ...sign, unsignedImage: unsignedImage.value, filesToSign }) : unsignedImage;
}
