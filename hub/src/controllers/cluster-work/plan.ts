import type { ModuleLoaderContainer } from '@kmm-hub/api-types';

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
  /** False for a module with a device plugin or DRA driver only: its work has no literals (W13). */
  loadsModule: boolean;
  images: ReadonlyMap<string, ImageState>;
  /** The literals of the work that exists; undefined when there is none. */
  current?: ReadonlyMap<string, KernelImage>;
};

export type WorkPlan =
  | { action: 'delete' }
  | { action: 'apply'; literals: ReadonlyMap<string, KernelImage>; waiting: Waiting | undefined }
  | { action: 'hold'; waiting: Waiting };

/** Why a cluster does not have all that it should. */
export type Waiting = { reason: string; message: string; pending: boolean };

/**
 * What to do with one cluster's ManifestWork; only deselection deletes. Pure.
 * 1. A kernel with a published image gets its literal.
 * 2. A kernel whose new image is pending or blocked keeps its previous literal: a running module is not taken away.
 * 3. A kernel that lost its mapping loses its literal.
 * 4. With no literal left the work stays as it is (a Module without mappings is refused by the spoke).
 */
export function planWork({ selected, loadsModule, images, current }: WorkInput): WorkPlan {
  if (!selected) return { action: 'delete' };
  if (!loadsModule) return { action: 'apply', literals: new Map(), waiting: undefined };
  const literals = new Map<string, KernelImage>();
  for (const [kernel, state] of images) {
    if (state.phase === 'Published') literals.set(kernel, state.image);
    const previous = current?.get(kernel);
    const keeps = state.phase === 'Pending' || state.phase === 'Blocked';
    if (keeps && previous !== undefined) literals.set(kernel, previous);
  }
  const waiting = waitingOf(images);
  if (literals.size > 0) return { action: 'apply', literals, waiting };
  return { action: 'hold', waiting: waiting ?? noMapping(images) };
}

function waitingOf(images: ReadonlyMap<string, ImageState>): Waiting | undefined {
  for (const [kernel, state] of images) {
    if (state.phase === 'Blocked') {
      return { reason: state.reason, message: `kernel ${kernel}: ${state.message}`, pending: false };
    }
  }
  const pending = [...images].flatMap(([kernel, state]) =>
    state.phase === 'Pending' ? [`${kernel} (${state.progress})`] : [],
  );
  if (pending.length === 0) return undefined;
  const message = `the image for ${pending.length === 1 ? 'kernel' : 'kernels'} ${pending.join(', ')} is not ready yet`;
  return { reason: 'ImagesPending', message, pending: true };
}

function noMapping(images: ReadonlyMap<string, ImageState>): Waiting {
  if (images.size === 0) {
    const message = 'the cluster has reported no kernel yet; check that its agents run and that it has joined';
    return { reason: 'NoKernels', message, pending: true };
  }
  const message = `no kernel mapping matches ${[...images.keys()].join(', ')}; add one to moduleLoader.container`;
  return { reason: 'NoKernelMapping', message, pending: false };
}
