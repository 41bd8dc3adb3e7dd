import { stringify } from 'yaml';
import type { CliContext, GlobalFlags } from '../context.ts';

export type Printable = {
  /** For machines: what json and yaml show. */
  value: unknown;
  /** For people. */
  text: () => string;
};

/** Prints once, in the form that was asked for. */
export function print(
  { out }: Pick<CliContext, 'out'>,
  output: GlobalFlags['output'],
  { value, text }: Printable,
): void {
  if (output === 'json') out(`${JSON.stringify(value, undefined, 4)}\n`);
  else if (output === 'yaml') out(stringify(value, { lineWidth: 0 }));
  else out(text());
}
