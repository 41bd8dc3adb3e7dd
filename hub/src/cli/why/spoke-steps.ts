import type { ManagedClusterModule, Module, Node, NodeModulesConfig } from '@kmm-hub/api-types';
import { readyLabel } from '@kmm-hub/api-types';
import { matchesLabels } from '@kmm-hub/rules';
import type { Reading } from '../readings.ts';
import { foundIn } from '../readings.ts';
import type { SpokeSnapshot } from './snapshot.ts';
import { ok, type Step, unknown, waiting, wrong } from './step.ts';

/** A person who asks about one cluster looks at some nodes, not at a thousand. */
const MOST_NODES = 50;
const SPOKE_REMEDY =
  'Give a kubeconfig of the cluster whose user has ClusterRole kmm-viewer there (deploy/rbac/kubectl-kmm.spoke.yaml).';
const AGENT_REMEDY = 'See that the cluster agent runs: kubectl -n openshift-kmm get pods, on the cluster.';

/** What the cluster itself holds: the Module, and for each selected node what it is to load and has loaded; the worst first. */
export function spokeSteps(owner: ManagedClusterModule, spoke: SpokeSnapshot): Step[] {
  const { spokeNamespace: namespace } = owner.spec;
  const { name } = owner.metadata;
  const object = { kind: 'Module', namespace, name };
  const module = moduleOnSpoke(spoke.module, object);
  const refused = [spoke.nodes, spoke.configs].find(({ kind }) => kind === 'forbidden');
  if (refused?.kind === 'forbidden')
    return [module, unknown({ kind: 'Node', name: 'of the cluster' }, onCluster(refused.right), SPOKE_REMEDY)];
  const configs = new Map((foundIn(spoke.configs) ?? []).map((config) => [config.metadata.name, config]));
  const selector = owner.spec.moduleSpec?.selector ?? {};
  const selected = (foundIn(spoke.nodes) ?? []).filter(({ metadata }) => matchesLabels(selector, metadata.labels));
  const steps = selected.map((node) => nodeStep(node, configs.get(node.metadata.name), { namespace, name }));
  const ordered = steps.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  return [module, ...ordered.slice(0, MOST_NODES)];
}

function moduleOnSpoke(reading: Reading<Module>, object: { kind: string; namespace: string; name: string }): Step {
  if (reading.kind === 'forbidden') return unknown(object, onCluster(reading.right), SPOKE_REMEDY);
  if (reading.kind === 'absent') {
    return waiting(
      object,
      'it is not on the cluster',
      'See that this is a kubeconfig of the cluster, and that its work agent runs.',
    );
  }
  const { metadata, status } = reading.value;
  if (metadata.deletionTimestamp !== undefined) {
    return waiting(
      object,
      `it is being deleted since ${metadata.deletionTimestamp}: nodes are to unload it`,
      'See the nodes in the table.',
    );
  }
  if (status?.observedGeneration !== metadata.generation) {
    return waiting(object, `the cluster agent has not acted on generation ${metadata.generation} yet`, AGENT_REMEDY);
  }
  return ok(object, 'it is on the cluster, and the cluster agent has seen it');
}

function onCluster(right: string): string {
  return `${right} (on the cluster)`;
}

type Key = { namespace: string; name: string };

function nodeStep(node: Node, config: NodeModulesConfig | undefined, key: Key): Step {
  const { name } = node.metadata;
  const kernel = node.status?.nodeInfo?.kernelVersion ?? 'no kernel yet';
  const isOurs = (entry: Key) => entry.name === key.name && entry.namespace === key.namespace;
  const wanted = config?.spec?.modules?.find(isOurs);
  const reported = config?.status?.modules?.find(isOurs);
  const object = { kind: 'NodeModulesConfig', name };
  if (reported?.error !== undefined) {
    const next = reported.error.nextAttempt;
    const again = next === undefined ? 'It is tried again when something changes' : `It is tried again at ${next}`;
    return wrong(
      object,
      `kernel ${kernel}: ${reported.error.reason}: ${reported.error.message}`,
      `Do what the message says. ${again}.`,
    );
  }
  if (wanted === undefined) {
    const remedy =
      'See whether the node has taints that the module does not tolerate, whether a mapping covers its kernel, and `kubectl describe module` on the cluster.';
    return waiting(object, `kernel ${kernel}: the node is not asked to load it`, remedy);
  }
  if (node.metadata.labels?.[readyLabel(key.namespace, key.name)] === undefined) {
    const remedy = `See that the node agent runs there: kubectl -n openshift-kmm get pods -o wide --field-selector spec.nodeName=${name}.`;
    return waiting(object, `kernel ${kernel}: the node has not loaded ${wanted.config.containerImage} yet`, remedy);
  }
  return ok(object, `kernel ${kernel}: loaded from ${wanted.config.containerImage}`);
}

function rank({ state }: Step): number {
  return ['wrong', 'waiting', 'unknown', 'ok'].indexOf(state);
}
