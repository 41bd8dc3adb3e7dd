import { parseKernelVersion, type RawKernelVersion } from './kernel-version.ts';

/** OCM's limit for the value of a ClusterClaim. */
const MAX_CLAIM_CHARACTERS = 1024;

/** The kernels of a cluster as its claim carries them, and what does not fit. */
export type KernelVersionsClaim = {
  /** Kernels sorted, one a line, at most 1,024 characters; `undefined` for none, as a claim cannot be empty. */
  value: string | undefined;
  /** Sorted last and over the limit: whole kernels that only the ClusterInventory can carry (W24). */
  omitted: RawKernelVersion[];
  /** Not kernel versions at all, as given. */
  invalid: string[];
};

/** Writes the value of the claim kernel-versions.kmm.node.kubernetes.io (KMM v2.6 §4.5) from what the nodes report. */
export function formatKernelVersionsClaim(reported: Iterable<string>): KernelVersionsClaim {
  const { kernels, invalid } = sortKernels(reported);
  let characters = -1; // The first kernel has no line break before it.
  const fitting = kernels.filter((kernel) => {
    characters += kernel.length + 1;
    return characters <= MAX_CLAIM_CHARACTERS;
  });
  return { value: fitting.join('\n') || undefined, omitted: kernels.slice(fitting.length), invalid };
}

/**
 * Reads the value of the claim: kernels sorted, each once. Upstream makes a kernel of a blank line (W24); blank lines
 * are dropped here. `invalid` holds the other lines that are no kernel versions.
 */
export function parseKernelVersionsClaim(value: string): { kernels: RawKernelVersion[]; invalid: string[] } {
  const lines = value.split('\n').map((line) => line.trim());
  return sortKernels(lines.filter((line) => line !== ''));
}

function sortKernels(reported: Iterable<string>): { kernels: RawKernelVersion[]; invalid: string[] } {
  const kernels: RawKernelVersion[] = [];
  const invalid: string[] = [];
  for (const text of new Set(reported)) {
    const kernel = parseKernelVersion(text);
    if (kernel.ok) kernels.push(kernel.value);
    else invalid.push(text);
  }
  return { kernels: kernels.sort(), invalid };
}
