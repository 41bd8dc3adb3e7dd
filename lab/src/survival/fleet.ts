import { FLEET } from '../demo/fleet.ts';
import type { ClusterPlan } from '../world/world.ts';

/** The demo's; a cluster that is cut off is called Unknown after 15 s instead of five minutes. */
export const SURVIVAL_FLEET: readonly ClusterPlan[] = FLEET.map((cluster) => ({ ...cluster, leaseDurationSeconds: 3 }));
