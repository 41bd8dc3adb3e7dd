import { HubError } from '@kmm-hub/api-types';

/** More of what a tool or the kernel said than this goes to the log only. */
const MAX_WORDS = 1000;

/** What modprobe or the kernel said stands in the message word by word. */
export abstract class KmodError extends HubError {
  constructor(words: string, options?: ErrorOptions) {
    super(words.trim().slice(0, MAX_WORDS), options);
  }
}

/** An argument that would make modprobe read or run something else than the module of the image. */
export class ModprobeOptionRefusedError extends HubError {
  override readonly name = 'ModprobeOptionRefusedError';
  readonly code = 'ModprobeOptionRefused';
  readonly retry = 'never';
  readonly remedy =
    'Correct spec.moduleLoader.container.modprobe. Passed on are --force, --force-vermagic and --force-modversion on load, --force, --wait=<ms> and --remove-holders on unload, module names, and parameters as name=value.';
  constructor(argument: string, why: string, options?: ErrorOptions) {
    super(`modprobe argument ${JSON.stringify(argument.slice(0, 200))} is refused: ${why}`, options);
  }
}

/** ENOKEY, EKEYREJECTED, or EPERM by lockdown: the kernel does not trust the module's signature, or it has none. */
export class ModuleSignatureRejectedError extends KmodError {
  override readonly name = 'ModuleSignatureRejectedError';
  readonly code = 'ModuleSignatureRejected';
  readonly retry = 'never';
  readonly remedy =
    'Sign the module (spec.moduleLoader.container.sign) with a key that the node trusts, or enrol its certificate on the node. When the module is signed, look whether the agent has CAP_SYS_MODULE.';
}

/** EPERM that is not about a signature: the agent may not change modules, nobody may any more, or the module says so. */
export class ModuleNotPermittedError extends KmodError {
  override readonly name = 'ModuleNotPermittedError';
  readonly code = 'ModuleNotPermitted';
  readonly retry = 'never';
  readonly remedy =
    "Look whether the agent has CAP_SYS_MODULE, and whether kernel.modules_disabled is 1 on the node, which only a reboot takes back. When neither is so, the kernel's words say what refused it: a parameter, or the module itself.";
}

/** The module needs a symbol that no loaded module has, or got a parameter that it does not know. */
export class ModuleUnknownSymbolError extends KmodError {
  override readonly name = 'ModuleUnknownSymbolError';
  readonly code = 'ModuleUnknownSymbol';
  readonly retry = 'never';
  readonly remedy =
    'Check spec.moduleLoader.container.modprobe.parameters, build the module against the headers of this very kernel, and put modules that it depends on into the image.';
}

/** ENOEXEC: built for another kernel, another configuration or another architecture. */
export class ModuleFormatError extends KmodError {
  override readonly name = 'ModuleFormatError';
  readonly code = 'ModuleFormatRefused';
  readonly retry = 'never';
  readonly remedy = 'Build the image again for the kernel and the architecture of this node.';
}

/** EEXIST: the kernel has a module of that name that is not ours, loaded or built in. */
export class ModuleAlreadyLoadedError extends KmodError {
  override readonly name = 'ModuleAlreadyLoadedError';
  readonly code = 'ModuleAlreadyLoaded';
  readonly retry = 'never';
  readonly remedy =
    'List the in-tree module in spec.moduleLoader.container.inTreeModulesToRemove, or unload it on the node; one that is built into the kernel cannot be replaced.';
}

/** Something on the node uses the module, so that it cannot be unloaded. */
export class ModuleInUseError extends KmodError {
  override readonly name = 'ModuleInUseError';
  readonly code = 'ModuleInUse';
  readonly retry = 'backoff';
  readonly remedy = 'Stop what uses the module on the node: drain it, or unload the modules that depend on it.';
}

/** The image, or the node for an in-tree module, has no module of that name for this kernel. */
export class ModuleNotFoundError extends KmodError {
  override readonly name = 'ModuleNotFoundError';
  readonly code = 'ModuleNotFound';
  readonly retry = 'never';
  readonly remedy =
    'Put the module below <dirName>/lib/modules/<kernel> of the image, and check moduleName and dirName in spec.moduleLoader.container.modprobe.';
}

/** Whatever else modprobe says, such as ENODEV or ENOMEM: the module's own reasons. */
export class ModprobeFailedError extends KmodError {
  override readonly name = 'ModprobeFailedError';
  readonly code = 'ModprobeFailed';
  readonly retry = 'backoff';
  readonly remedy = "Look at the node's kernel log: the module or the hardware gave the reason there.";
}

/** A kmod tool did not end in time: a module's init or exit hangs. */
export class ModprobeTimeoutError extends HubError {
  override readonly name = 'ModprobeTimeoutError';
  readonly code = 'ModprobeTimeout';
  readonly retry = 'backoff';
  readonly remedy = "Look at the node's kernel log for the module that hangs; the node may need a reboot.";
  constructor(tool: string, timeoutMs: number, options?: ErrorOptions) {
    super(`${tool} did not end within ${timeoutMs} ms`, options);
  }
}

/** depmod cannot read the modules of the image. */
export class DepmodFailedError extends KmodError {
  override readonly name = 'DepmodFailedError';
  readonly code = 'DepmodFailed';
  readonly retry = 'never';
  readonly remedy = 'Build the image again: its .ko files are damaged or of a format that the node does not know.';
}

/** modprobe was content, but the kernel does not list the module. */
export class ModuleNotLoadedError extends HubError {
  override readonly name = 'ModuleNotLoadedError';
  readonly code = 'ModuleNotLoaded';
  readonly retry = 'backoff';
  readonly remedy =
    "Look at the node's kernel log; check that modprobe.moduleName is the module's own name and that it is not built into the kernel.";
  constructor(names: readonly string[], options?: ErrorOptions) {
    super(`modprobe succeeded, but /proc/modules does not list ${names.join(', ')} as live`, options);
  }
}

/** First match wins: the words of kmod and of strerror in the C locale. */
const KNOWN: readonly [RegExp, new (words: string, options?: ErrorOptions) => KmodError][] = [
  [/Key was rejected by service|Required key not available/, ModuleSignatureRejectedError],
  [/Operation not permitted/, ModuleNotPermittedError],
  [/Unknown symbol in module/, ModuleUnknownSymbolError],
  [/Exec format error|Invalid module format/, ModuleFormatError],
  [/File exists|already in kernel|is builtin/, ModuleAlreadyLoadedError],
  [/is in use|Resource temporarily unavailable/, ModuleInUseError],
  [/not found in directory/, ModuleNotFoundError],
];

/** Lockdown's and signature enforcement's lines in the kernel's log, since 4.19 (kernel/module/signing.c, security/lockdown). */
const REFUSES_UNSIGNED = /Lockdown:.*unsigned module|Loading of .* is rejected/i;

/**
 * The error that modprobe's words stand for.
 * @param kernelWords what the kernel logged about it, undefined when its log cannot be read. It goes into the message, and
 * decides what EPERM means
 */
export function modprobeError(words: string, kernelWords?: readonly string[], options?: ErrorOptions): KmodError {
  const [, known = ModprobeFailedError] = KNOWN.find(([pattern]) => pattern.test(words)) ?? [];
  const told = [words.trim(), ...(kernelWords ?? []).map((line) => `kernel: ${line}`)].join('; ');
  return new (isLockedOut(words, kernelWords) ? ModuleSignatureRejectedError : known)(told, options);
}

/** Lockdown answers EPERM, as a missing capability does. Where nobody can look which one it was, lockdown is more likely. */
function isLockedOut(words: string, kernelWords: readonly string[] | undefined): boolean {
  if (!/could not insert .*: Operation not permitted/.test(words)) return false;
  return kernelWords?.some((line) => REFUSES_UNSIGNED.test(line)) ?? true;
}
