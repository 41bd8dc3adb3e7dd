import type { Restartable } from '../host/restartable.ts';
import type { ControlPlane } from '../servers/control-plane.ts';
import type { FleetNode, World } from '../world/world.ts';

/** A part of a world that can be killed at any moment and comes back as its supervisor would bring it back. */
export type Victim = {
  name: string;
  /** A build in flight may be lost with it, so that it is made once more. */
  mayRepeatBuilds: boolean;
  kill(signal: AbortSignal): Promise<void>;
  /** Does nothing to what runs. */
  revive(signal: AbortSignal): Promise<void>;
};

/** Every part of a world that runs; only the lab's own controller managers, kubelets and links are spared. */
export function victimsOf(world: World): Victim[] {
  return [
    ...world.processes.map((process) => processVictim(process, { mayRepeatBuilds: process.name === 'worker' })),
    processVictim(world.redis.process, { mayRepeatBuilds: true }),
    processVictim(world.registry.process, { mayRepeatBuilds: true }),
    apiServerVictim(world.hub, { mayRepeatBuilds: true }),
    ...world.spokes.map((spoke) => apiServerVictim(spoke, { mayRepeatBuilds: false })),
    ...world.nodes.flatMap((node) => [agentVictim(node), powerVictim(node)]),
  ];
}

function processVictim(process: Restartable, { mayRepeatBuilds }: Pick<Victim, 'mayRepeatBuilds'>): Victim {
  return {
    name: process.name,
    mayRepeatBuilds,
    kill: () => process.kill9(),
    revive: async (signal) => {
      if (process.ended !== undefined) await process.restart(signal);
    },
  };
}

function apiServerVictim(plane: ControlPlane, options: Pick<Victim, 'mayRepeatBuilds'>): Victim {
  return processVictim(plane.component('kube-apiserver'), options);
}

export function agentVictimName(node: string): string {
  return `${node} agent`;
}

/** Its supervisor is in the node. */
function agentVictim({ node, plan }: FleetNode): Victim {
  return {
    name: agentVictimName(plan.name),
    mayRepeatBuilds: false,
    kill: (signal) => node.killAgent(signal),
    revive: async () => undefined,
  };
}

function powerVictim({ node, plan }: FleetNode): Victim {
  return {
    name: `${plan.name} power`,
    mayRepeatBuilds: false,
    kill: () => node.powerCut(),
    revive: (signal) => node.powerOn({ signal }),
  };
}
