import type { CliContext, GlobalFlags } from '../context.ts';
import { print } from '../output/print.ts';
import { planExplanation } from './explanation.ts';
import { explanationText } from './print.ts';
import { readSnapshot } from './read-snapshot.ts';

export type WhyFlags = GlobalFlags & { spokeKubeconfig?: string; spokeContext?: string };

/** Prints the way of the module to the nodes of the cluster, and what is not right on it first. */
export async function why(context: CliContext, [module, cluster]: [string, string], flags: WhyFlags): Promise<void> {
  const { namespace, output, spokeKubeconfig, spokeContext } = flags;
  const hub = await context.connect(flags);
  const hasSpoke = spokeKubeconfig !== undefined || spokeContext !== undefined;
  const kubeconfig = spokeKubeconfig ?? flags.kubeconfig;
  const toSpoke = { ...(kubeconfig && { kubeconfig }), ...(spokeContext && { context: spokeContext }) };
  const spoke = hasSpoke ? await context.connect(toSpoke) : undefined;
  const question = { module, cluster, namespace };
  const steps = planExplanation(
    await readSnapshot({ hub: hub.client, ...(spoke && { spoke: spoke.client }) }, question, context.signal),
  );
  print(context, output, { value: { module, cluster, steps }, text: () => explanationText(steps, context) });
}
