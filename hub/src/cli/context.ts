import type { Connection, KubeClient } from '@kmm-hub/kube';
import type { Paint } from './output/table.ts';

/** What a command works with. Data goes to `out`, words about it to `note`. */
export type CliContext = {
  /** Opens the API server that flags or the environment name; closed with the program. */
  connect: (flags: ConnectFlags) => Promise<{ client: KubeClient; connection: Connection }>;
  out: (text: string) => void;
  note: (text: string) => void;
  now: () => Date;
  columns: number;
  paint: Paint;
  signal: AbortSignal;
};

export type ConnectFlags = { kubeconfig?: string; context?: string };

export const OUTPUTS = ['table', 'wide', 'json', 'yaml'] as const;

/** Of every command. */
export type GlobalFlags = ConnectFlags & {
  /** Of the hub. */
  namespace: string;
  output: (typeof OUTPUTS)[number];
};
