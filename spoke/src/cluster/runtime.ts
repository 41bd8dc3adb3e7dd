import { type Controller, type ReconcileMetrics, sleep } from '@kmm-hub/kube';
import { clusterDefaults } from './defaults.ts';

/** What every controller is run with. */
export type Runtime = { metrics: ReconcileMetrics };

/** A controller and the caches that must be in before it may decide anything. */
export type ControllerRun = { controller: Controller; needs: readonly { cache: { synced: boolean } }[] };

/**
 * Runs the controllers until aborted. Each starts once its own caches are in, so that a hub that does not answer keeps no
 * module from being loaded.
 */
export async function runControllers(runs: readonly ControllerRun[], signal: AbortSignal): Promise<void> {
  await Promise.all(
    runs.map(async ({ controller, needs }) => {
      while (!signal.aborted && !needs.every(({ cache }) => cache.synced)) {
        await sleep(clusterDefaults.syncPollMs, signal);
      }
      await controller.run(signal);
    }),
  );
}
