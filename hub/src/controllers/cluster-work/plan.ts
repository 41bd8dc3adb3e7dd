import { explain, type HubError, type ModuleLoaderContainer } from '@kmm-hub/api-types';

/** What a literal mapping of a work says. `tag` is the reference with its tag, for a person. */
export type KernelImage = {
  reference: string;
  tag: string;
  inTreeModulesToRemove?: string[];
  registryTLS?: ModuleLoaderContainer['registryTLS'];
};

/** One kernel's image as the cluster sees it. `Blocked` and `Pending` keep what is running; `Unmapped` takes it away. */
export type ImageState =
  | { phase: 'Published'; image: KernelImage }
  /** `progress` for a person, e.g. "a worker builds it". */
  | { phase: 'Pending'; progress: string }
  | { phase: 'Blocked'; reason: string; message: string }
  | { phase: 'Unmapped' };

/** One module on one cluster. Kernels are trimmed of a trailing "+", as mappings are (KMM v2.6). */
export type WorkInput = {
  selected: boolean;
  /** Why the cluster cannot run the module, whatever its kernels are. */
  problem?: Problem;
  /** False for a module with a device plugin or DRA driver only: its work has no literals (W13). */
  loadsModule: boolean;
  images: ReadonlyMap<string, ImageState>;
  /** Kernels of which some nodes cannot use the image that their kernel has, and why. */
  excluded?: ReadonlyMap<string, Problem>;
  /** Kernels that are over the limit of a cluster. */
  left?: readonly string[];
  /** The literals of the work that exists; undefined when there is none. */
  current?: ReadonlyMap<string, KernelImage>;
};

export type WorkPlan =
  | { action: 'delete' }
  | ({ action: 'apply'; literals: ReadonlyMap<string, KernelImage> } & Outcome)
  | ({ action: 'hold'; waiting: Waiting } & Outcome);

/** For a condition: one CamelCase word, and words for a person with the remedy. */
export type Problem = { reason: string; message: string };
/** Why a cluster does not have all that it should; `pending`: nobody has to do anything. */
export type Waiting = Problem & { pending: boolean };
/** What is to be told of a cluster. `uncovered`: kernels for which nothing is made, which may be meant. */
export type Outcome = { waiting?: Waiting; uncovered?: Problem };

export function problemFrom(error: HubError): Problem {
  return { reason: error.code, message: explain(error) };
}

/** Kernels that one message names. */
const NAMED = 10;

/**
 * What to do with one cluster's ManifestWork; only deselection deletes. Pure.
 * 1. A cluster that cannot run the module gets nothing new, and keeps the work that it has.
 * 2. A kernel with a published image gets its literal.
 * 3. A kernel whose new image is pending or blocked keeps its previous literal: a running module is not taken away.
 * 4. A kernel that lost its mapping loses its literal.
 * 5. With no literal left the work stays as it is (a Module without mappings is refused by the spoke).
 */
export function planWork(input: WorkInput): WorkPlan {
  const { selected, problem, loadsModule, images } = input;
  if (!selected) return { action: 'delete' };
  if (problem !== undefined) return { action: 'hold', waiting: { ...problem, pending: false } };
  if (!loadsModule) return { action: 'apply', literals: new Map() };
  const literals = literalsFor(input);
  const waiting = waitingOf(input);
  const uncovered = uncoveredOf(input);
  const told = uncovered && { uncovered };
  if (literals.size > 0) return { action: 'apply', literals, ...(waiting && { waiting }), ...told };
  return { action: 'hold', waiting: waiting ?? nothingToLoad(images), ...told };
}

function literalsFor({ images, current }: WorkInput): Map<string, KernelImage> {
  const literals = new Map<string, KernelImage>();
  for (const [kernel, state] of images) {
    if (state.phase === 'Published') literals.set(kernel, state.image);
    const previous = current?.get(kernel);
    const keeps = state.phase === 'Pending' || state.phase === 'Blocked';
    if (keeps && previous !== undefined) literals.set(kernel, previous);
  }
  return literals;
}

function waitingOf({ images, excluded = new Map() }: WorkInput): Waiting | undefined {
  const blocked = [...images].flatMap(([kernel, state]) =>
    state.phase === 'Blocked' ? [[kernel, state] as const] : [],
  );
  for (const [kernel, { reason, message }] of [...blocked, ...excluded]) {
    return { reason, message: `kernel ${kernel}: ${message}`, pending: false };
  }
  const pending = [...images].flatMap(([kernel, state]) =>
    state.phase === 'Pending' ? [`${kernel} (${state.progress})`] : [],
  );
  if (pending.length === 0) return undefined;
  const message = `the image for ${kernels(pending)} is not ready yet`;
  return { reason: 'ImagesPending', message, pending: true };
}

function uncoveredOf({ images, left = [] }: WorkInput): Problem | undefined {
  if (left.length > 0) {
    const message =
      `the cluster reports ${images.size + left.length} kernels, of which only the first ${images.size} by name ` +
      `${images.size === 1 ? 'gets' : 'get'} images; left out: ${listed(left)}. ` +
      'See that its agents report only kernels that run there';
    return { reason: 'TooManyKernels', message };
  }
  const unmapped = [...images].flatMap(([kernel, { phase }]) => (phase === 'Unmapped' ? [kernel] : []));
  return unmapped.length === 0 ? undefined : noMapping(unmapped);
}

function nothingToLoad(images: ReadonlyMap<string, ImageState>): Waiting {
  if (images.size > 0) return { ...noMapping([...images.keys()]), pending: false };
  const message = 'the cluster has reported no kernel yet; check that its agents run and that it has joined';
  return { reason: 'NoKernels', message, pending: true };
}

function noMapping(unmapped: readonly string[]): Problem {
  const message = `no kernel mapping matches ${kernels(unmapped)}; add one to moduleLoader.container`;
  return { reason: 'NoKernelMapping', message };
}

/** `kernel a`, `kernels a, b`. */
function kernels(list: readonly string[]): string {
  return `${list.length === 1 ? 'kernel' : 'kernels'} ${listed(list)}`;
}

/** `a, b`, of many the first. */
function listed(list: readonly string[]): string {
  const more = list.length > NAMED ? ` and ${list.length - NAMED} more` : '';
  return `${list.slice(0, NAMED).join(', ')}${more}`;
}
