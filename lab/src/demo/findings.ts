import type { ModuleImage } from '@kmm-hub/api-types';
import type { NodeReport } from './verify-reports.ts';

/** One node as of the end of the rollout. */
export type NodeRow = {
  cluster: string;
  node: string;
  kernel: string;
  secureBoot: boolean;
  /** Of the image. */
  digest: string;
  state: string;
  /** The line that the module printed to the kernel log. */
  says: string;
};

/** What the demo has read back so far; whoever holds it sees how far a failed run came. */
export type Findings = {
  /** Of hello-kmod, as of the end of the rollout. */
  images: ModuleImage[];
  works: number;
  rows: NodeRow[];
  reports: NodeReport[];
};

export function noFindings(): Findings {
  return { images: [], works: 0, rows: [], reports: [] };
}
