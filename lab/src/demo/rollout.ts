import type { ModuleImage } from '@kmm-hub/api-types';
import type { WorldContext } from '../world/hub-world.ts';
import type { FleetNode, World } from '../world/world.ts';
import type { Step } from '../world/world-steps.ts';
import type { Findings, NodeRow } from './findings.ts';
import { applyHello, HELLO } from './modules.ts';
import { buildsOf, imagesPublished, signersOf } from './verify-images.ts';
import { delivered, loaded, moduleIs, worksOf } from './verify-module.ts';
import { reported } from './verify-reports.ts';

export type Demo = { world: World; found: Findings; context: WorldContext };

/** examples/hello-kmod, from kubectl apply to the kernels of all nodes. */
export function rolloutSteps(demo: Demo): Step[] {
  const { world, found, context } = demo;
  const { signal } = context;
  return [
    { name: 'kubectl apply of examples/hello-kmod', run: () => applyHello(world) },
    {
      name: 'one image for each kernel: built, signed, published',
      run: async (tell) => {
        const kernels = world.series.map((series) => world.kernel(series).release);
        found.images = await imagesPublished(world.hub, { module: HELLO, kernels }, signal);
        await expectSigned(demo);
        tell(`${buildsOf(found.images)} builds for ${world.nodes.length} nodes, signed by ${world.signing.signer}`);
      },
    },
    {
      name: 'one work for each cluster; Modules, NodeModulesConfigs',
      run: async (tell) => {
        await eachNode(world, (node) =>
          delivered(world.hub, { module: HELLO, node, digest: digestFor(found, node) }, signal),
        );
        found.works = (await worksOf(world.hub, HELLO, signal)).length;
        if (found.works !== world.plan.length) throw new RangeError(`there are ${found.works} works`);
        tell(`${found.works} works`);
      },
    },
    {
      name: 'module loaded on all nodes, read back over their serial probes',
      run: async (tell) => {
        await eachNode(world, async (node) => {
          found.rows.push(await rowOf(demo, node));
          tell(`${found.rows.length} of ${world.nodes.length} nodes`);
        });
        found.rows.sort((a, b) => (a.node < b.node ? -1 : 1));
        await moduleIs(world.hub, { module: HELLO, type: 'Available' }, signal);
      },
    },
    {
      name: 'features, topology and inventories reported',
      run: async (tell) => {
        found.reports = await eachNode(world, (node) => reported(world.hub, node, signal));
        tell(found.reports.map(({ node, labels }) => `${node} ${labels.length} labels`).join(', '));
      },
    },
  ];
}

/** As many images and builds as kernels, each signed with our key and nobody else's. */
async function expectSigned({ world, found, context }: Demo): Promise<void> {
  const { images } = found;
  if (images.length !== world.series.length || buildsOf(images) !== world.series.length) {
    throw new RangeError(`${images.length} images and ${buildsOf(images)} builds for ${world.series.length} kernels`);
  }
  const signers = (await Promise.all(images.map((image) => signersOf(image, context)))).flat();
  const others = signers.filter((signer) => signer !== world.signing.signer);
  if (others.length > 0) throw new RangeError(`signed by ${others.join(', ')}`);
}

async function rowOf({ found, context: { signal } }: Demo, fleetNode: FleetNode): Promise<NodeRow> {
  const { spoke, node } = fleetNode;
  const says = await loaded({ module: HELLO, node: fleetNode }, signal);
  return {
    cluster: spoke.name,
    node: node.name,
    kernel: await node.probe.release(signal),
    secureBoot: await node.probe.secureBoot(signal),
    digest: digestFor(found, fleetNode),
    state: 'Loaded',
    says,
  };
}

/** Of the image for the kernel that the node runs. */
export function digestFor({ images }: { images: readonly ModuleImage[] }, { node }: FleetNode): string {
  const digest = images.find(({ spec }) => spec.kernelVersion === node.kernel.release)?.status?.digest;
  if (digest === undefined) throw new RangeError(`there is no image for ${node.kernel.release}`);
  return digest;
}

export function eachNode<T>(world: World, work: (node: FleetNode) => Promise<T>): Promise<T[]> {
  return Promise.all(world.nodes.map(work));
}
