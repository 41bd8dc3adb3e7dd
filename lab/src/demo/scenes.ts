import { toolkitReference } from '../toolkit/toolkit-image.ts';
import type { FleetNode } from '../world/world.ts';
import type { Phase, Step } from '../world/world-steps.ts';
import { REBOOT } from './fleet.ts';
import { applyPrebuilt, applyTypo, HELLO, mendTypo, PREBUILT, pushPrebuilt, TYPO } from './modules.ts';
import { readBack, Unexpected } from './read-back.ts';
import { type Demo, digestFor } from './rollout.ts';
import { buildsOf, imageFailed, imagesOf, imagesPublished } from './verify-images.ts';
import { delivered, loaded, moduleIs } from './verify-module.ts';
import { gone } from './verify-removal.ts';
import { onlyKernel } from './verify-reports.ts';

const REFUSED = 'ModuleSignatureRejected';

/** What happens to a fleet that runs: three scenes that have nothing to do with each other, so they are played at once. */
export function scenes(demo: Demo): Phase {
  const inTurn = (title: string, parts: Step[]): Phase => ({ title, atOnce: false, parts });
  return {
    title: 'the fleet lives',
    atOnce: true,
    parts: [
      inTurn('a kernel changes', rebootScene(demo)),
      inTurn('a module is not signed', refusalScene(demo)),
      inTurn('a Dockerfile does not compile', typoScene(demo)),
    ],
  };
}

/** A node comes back with another kernel, for which there is an image already. */
function rebootScene({ world, found, context: { signal } }: Demo): Step[] {
  const { node: name, series } = REBOOT;
  return [
    {
      name: `${name} reboots into ${series}`,
      run: async (tell) => {
        const { node } = world.node(name);
        await node.reboot({ kernel: world.kernel(series), signal });
        tell(await node.probe.release(signal));
      },
    },
    {
      name: 'claim and inventory change, nothing is built, loaded again',
      run: async (tell) => {
        const node = world.node(name);
        const cluster = node.spoke.name;
        const nodes = world.nodes.filter(({ spoke }) => spoke.name === cluster).length;
        const kernel = node.node.kernel.release;
        await onlyKernel(world.hub, { cluster, kernel, nodes }, signal);
        await delivered(world.hub, { module: HELLO, node, digest: digestFor(found, node) }, signal);
        const says = await loaded({ module: HELLO, node }, signal);
        await moduleIs(world.hub, { module: HELLO, type: 'Available' }, signal);
        const images = await imagesOf(world.hub, HELLO, signal);
        if (images.length !== found.images.length || buildsOf(images) !== buildsOf(found.images)) {
          throw new RangeError(`${images.length} images and ${buildsOf(images)} builds`);
        }
        tell(`${cluster} has ${nodes} nodes with ${kernel}, still ${buildsOf(images)} builds; ${name} says ${says}`);
      },
    },
  ];
}

/** The image of somebody's own pipeline holds a module without a signature, and the node has Secure Boot. */
function refusalScene({ world, context }: Demo): Step[] {
  const { signal } = context;
  return [
    {
      name: 'an unsigned image is built elsewhere and pushed',
      run: async (tell) => {
        const { kernel } = guarded(world.nodes).node;
        const toolkit = toolkitReference(world.registry.host, kernel);
        tell(await pushPrebuilt(world, { kernel, toolkit }, context));
      },
    },
    {
      name: 'examples/prebuilt-kmod: Secure Boot refuses it, Degraded in the words of the kernel',
      run: async (tell) => {
        await applyPrebuilt(world);
        const { reason, message } = await moduleIs(world.hub, { module: PREBUILT, type: 'Degraded' }, signal);
        if (reason !== REFUSED) throw new RangeError(`the reason is ${reason}: ${message}`);
        const words = await refusalIn(guarded(world.nodes), signal);
        if (!message.includes(words)) throw new RangeError(`"${words}" is not in "${message}"`);
        tell(`${reason}: ${message}`);
      },
    },
  ];
}

function guarded(nodes: readonly FleetNode[]): FleetNode {
  const node = nodes.find(({ plan }) => plan.secureBoot);
  if (node === undefined) throw new RangeError('no node has Secure Boot');
  return node;
}

/** What the node's kernel itself has logged, without its time stamp; and the module is not in it. */
function refusalIn({ node }: FleetNode, signal: AbortSignal): Promise<string> {
  const check = async (limit: AbortSignal) => {
    const line = (await node.probe.kernelLog(limit)).findLast((text) =>
      /unsigned module|module verification/.test(text),
    );
    if (line === undefined) throw new Unexpected('the kernel log says nothing of an unsigned module');
    const present = (await node.probe.modules(limit)).some(({ name }) => name === PREBUILT.kernelModule);
    if (present) throw new Unexpected(`${PREBUILT.kernelModule} is in the kernel of ${node.name}`);
    return line.replace(/^\[[^\]]*\] */, '');
  };
  return readBack(`the refusal in the kernel log of ${node.name}`, check, signal);
}

/** A person's mistake is told in the compiler's words, and mending it is all there is to do. */
function typoScene({ world, context: { signal } }: Demo): Step[] {
  const nodes = () => world.nodes.filter(({ spoke }) => spoke.name === TYPO.cluster);
  return [
    {
      name: 'typo-kmod does not compile: Failed in the words of the compiler',
      run: async (tell) => {
        await applyTypo(world);
        const failed = await imageFailed(world.hub, TYPO, signal);
        const error = failed.message.split('\n').find((line) => line.includes('error:'));
        if (error === undefined) throw new RangeError(`no word of the compiler in "${failed.message}"`);
        const { reason, message } = await moduleIs(world.hub, { module: TYPO, type: 'Degraded' }, signal);
        if (reason !== failed.reason || !message.includes(error)) throw new RangeError(`${reason}: ${message}`);
        tell(`${reason}: ${error}`);
      },
    },
    {
      name: 'its ConfigMap is mended: built, signed, loaded',
      run: async (tell) => {
        await mendTypo(world);
        const kernels = [...new Set(nodes().map(({ node }) => node.kernel.release))];
        await imagesPublished(world.hub, { module: TYPO, kernels }, signal);
        const said = await Promise.all(nodes().map((node) => loaded({ module: TYPO, node }, signal)));
        await moduleIs(world.hub, { module: TYPO, type: 'Available' }, signal);
        tell(
          nodes()
            .map(({ plan }, index) => `${plan.name} says ${said[index]}`)
            .join(', '),
        );
      },
    },
  ];
}

/** The end: what was applied is deleted, and no trace of it stays anywhere. */
export function removalStep({ world, context }: Demo): Step {
  return {
    name: 'kubectl delete of all modules: unloaded everywhere, nothing left',
    run: async () => {
      await world.hub.kubectl(['delete', 'managedclustermodules', '--all', '--wait=false']);
      await gone(world, [HELLO, PREBUILT, TYPO], context.signal);
    },
  };
}
