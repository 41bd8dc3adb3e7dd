import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type FeedbackValue,
  type ManifestWork,
  type Module,
  module as moduleResource,
  type Node,
  type NodeModuleStatus,
  type NodeModulesConfig,
  namespace,
  node,
  nodeModulesConfig,
  type Resource,
  readyLabel,
} from '@kmm-hub/api-types';
import { applyFolder, checkout, kubeconfigForServiceAccount } from '@kmm-hub/lab';
import { parse, stringify } from 'yaml';
import { type HubWorld, signal, works } from './hub-world.ts';

const modules = moduleResource as Resource<Module>;
const lastTransitionTime = '2026-01-01T00:00:00Z';

/** Kubeconfigs of people of the cluster, who have no right on the hub. */
export type SpokeUsers = {
  /** May read what `why` looks at; without nodes, all but those. */
  reader: string;
  withoutNodes: string;
  /** Its current context is that of the person on the hub, its context "edge" that of the reader. */
  bothContexts: string;
};

/**
 * Makes the hub's API server that of a cluster too, with its kinds: who may read what tells the two apart. `hubUser`: kubeconfig
 * of a person on the hub, who has no right on the cluster.
 */
export async function createSpoke({ plane, folder, admin }: HubWorld, hubUser: string): Promise<SpokeUsers> {
  await applyFolder(plane, join(checkout, 'deploy/crds/spoke'));
  const roles = ['module-editors.spoke.yaml', 'kubectl-kmm.spoke.yaml'];
  await applyFolder(
    plane,
    roles.map((file) => join(checkout, 'deploy/rbac', file)),
  );
  await admin.createIfAbsent(namespace, { metadata: { name: 'openshift-kmm' } }, signal);
  const account = async (serviceAccount: string, role: string) => {
    const place = { namespace: 'openshift-kmm', serviceAccount };
    await plane.kubectl(['create', 'serviceaccount', serviceAccount, `--namespace=${place.namespace}`]);
    const subject = `--serviceaccount=${place.namespace}:${serviceAccount}`;
    await plane.kubectl(['create', 'clusterrolebinding', serviceAccount, `--clusterrole=${role}`, subject]);
    const file = join(folder, `${serviceAccount}.kubeconfig`);
    return kubeconfigForServiceAccount({ plane: { ...plane, name: 'edge' }, ...place, file });
  };
  const reader = await account('spoke-reader', 'kmm-viewer');
  const withoutNodes = await account('spoke-module-viewer', 'module-viewer-role');
  return { reader, withoutNodes, bothContexts: await joined(hubUser, reader, join(folder, 'both.kubeconfig')) };
}

/** The kubeconfig of the first with the context of the second beside its own. */
async function joined(first: string, second: string, file: string): Promise<string> {
  const [one, two] = await Promise.all([first, second].map(async (path) => parse(await readFile(path, 'utf8'))));
  const parts = ['clusters', 'users', 'contexts'].map((part) => [part, [...one[part], ...two[part]]]);
  await writeFile(file, stringify({ ...one, ...Object.fromEntries(parts) }), { mode: 0o600 });
  return file;
}

/** What the agents of a cluster with two nodes made of the work: n1 has the module, n2 has this error instead. */
export async function playSpoke({ admin }: HubWorld, work: ManifestWork, error: NodeError): Promise<void> {
  const [manifest] = work.spec.workload?.manifests ?? [];
  const { metadata, spec } = manifest as Module;
  const { namespace: inNamespace = '', name } = metadata;
  await admin.create(modules, { metadata: { namespace: inNamespace, name }, spec }, signal);
  const applied = { status: { observedGeneration: 1 } };
  await admin.patch(modules, { ref: { namespace: inNamespace, name }, patch: applied, subresource: 'status' }, signal);
  const entry = entryOf(manifest as Module);
  await putNode(admin, { name: 'n1', entry, labels: { [readyLabel(inNamespace, name)]: '' } });
  await putNode(admin, { name: 'n2', entry, error });
}

export type NodeError = NonNullable<NodeModuleStatus['error']>;

function entryOf({ metadata, spec }: Module) {
  const { kernelMappings = [], modprobe } = spec.moduleLoader?.container ?? {};
  const { literal: kernelVersion = '', containerImage = '' } = kernelMappings[0] ?? {};
  if (modprobe === undefined) throw new RangeError('the Module loads nothing');
  const config = { kernelVersion, containerImage, insecurePull: false, modprobe };
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    serviceAccountName: 'default',
    config,
  };
}

type PlayedNode = {
  name: string;
  entry: ReturnType<typeof entryOf>;
  labels?: Record<string, string>;
  error?: NodeError;
};

async function putNode(admin: HubWorld['admin'], { name, entry, labels = {}, error }: PlayedNode): Promise<void> {
  const nodeInfo = {
    kernelVersion: entry.config.kernelVersion,
    bootID: name,
    architecture: 'amd64',
    osImage: 'Debian',
  };
  const object: Node = { metadata: { name, labels }, status: { nodeInfo } };
  await admin.create(node, object, signal);
  const config: NodeModulesConfig = { metadata: { name }, spec: { modules: [entry] } };
  await admin.create(nodeModulesConfig, config, signal);
  const patch = { status: { modules: [{ ...entry, ...(error && { error }) }] } };
  await admin.patch(nodeModulesConfig, { ref: { name }, patch, subresource: 'status' }, signal);
}

/** How many of the wanted nodes have the module; with the first thing that is not right, as Module.status.degraded. */
export type Feedback = { available: number; desired: number; degraded?: NodeError };

/** The work agent's last word: the work is applied, and the Module says this. */
export async function feedBack({ admin }: HubWorld, work: ManifestWork, feedback: Feedback): Promise<void> {
  const { namespace: cluster = '', name, generation = 0 } = work.metadata;
  const condition = (type: string) => ({
    ...{ type, status: 'True' as const, reason: 'AsExpected', message: 'as expected', lastTransitionTime },
    observedGeneration: generation,
  });
  const conditions = [condition('Applied'), condition('Available')];
  const manifests = [{ resourceMeta: { ordinal: 0 }, conditions, statusFeedback: { values: valuesOf(feedback) } }];
  const patch = { status: { conditions, resourceStatus: { manifests } } };
  await admin.patch(works, { ref: { namespace: cluster, name }, patch, subresource: 'status' }, signal);
}

function valuesOf({ available, desired, degraded }: Feedback): FeedbackValue[] {
  const numbers = {
    ...{ generation: 1, observedGeneration: 1 },
    ...{ 'moduleLoader.nodesMatchingSelectorNumber': desired, 'moduleLoader.desiredNumber': desired },
    'moduleLoader.availableNumber': available,
  };
  const words = degraded && { 'degraded.reason': degraded.reason, 'degraded.message': degraded.message };
  return [
    ...Object.entries(numbers).map(([name, integer]) => ({ name, fieldValue: { type: 'Integer' as const, integer } })),
    ...Object.entries(words ?? {}).map(([name, string]) => ({ name, fieldValue: { type: 'String' as const, string } })),
  ];
}
