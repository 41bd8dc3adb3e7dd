import { explain } from '@kmm-hub/api-types';
import { type KubeClient, sleep } from '@kmm-hub/kube';

/** A worker between jobs asks nothing of the API server, so it is asked on purpose, this often. */
const INTERVAL_MS = 10_000;
const FAILED_INTERVAL_MS = 2_000;

/** Whether jobs could read their recipes, for /readyz. Asks until aborted; never throws. */
export function watchApiServer(client: Pick<KubeClient, 'raw'>, signal: AbortSignal): { problems(): string[] } {
  let problem: string | undefined = 'the API server was not asked yet';
  const ask = async () => {
    while (!signal.aborted) {
      try {
        await client.raw('/version', signal); // every identity may; a wrong one is told
        problem = undefined;
      } catch (err) {
        problem = explain(err);
      }
      await sleep(problem === undefined ? INTERVAL_MS : FAILED_INTERVAL_MS, signal);
    }
  };
  void ask();
  return { problems: () => (problem === undefined ? [] : [problem]) };
}
