import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { env, stdout } from 'node:process';
import { styleText } from 'node:util';
import { type ConnectionOptions, processEnvironment } from '@kmm-hub/kube';
import type { Paint } from './output/table.ts';

export type CliEnvironment = {
  /** Where kubectl would look when no flag says otherwise. */
  connection: ConnectionOptions;
  /** Characters a line. */
  columns: number;
  paint: Paint;
};

/** For output that goes to no terminal. */
const COLUMNS = 160;

/** Environment and terminal, read once. Colours as NO_COLOR and FORCE_COLOR say, else on a terminal only. */
export function cliEnvironment(): CliEnvironment {
  const { connection } = processEnvironment();
  const standard = join(homedir(), '.kube/config');
  const kubeconfig = env.KUBECONFIG || (existsSync(standard) ? standard : undefined);
  return {
    connection: { ...connection, ...(kubeconfig && { kubeconfig }) },
    columns: stdout.columns ?? COLUMNS,
    paint: (style, text) => styleText(style, text, { stream: stdout }),
  };
}
