import { join } from 'node:path';
import { applyFolder } from '../access/apply.ts';
import { writeKubeconfig } from '../access/kubeconfig.ts';
import { tokenFor } from '../access/service-account.ts';
import { waitFor } from '../host/wait.ts';
import type { ControlPlane } from '../servers/control-plane.ts';
import { deployed, rendered } from '../world/manifests.ts';
import type { AgentPlaces } from './agent.ts';
import { GROUP } from './objects.ts';
import type { ConformanceWorld } from './world.ts';

type Place = { cluster: string; folder: string; signal: AbortSignal };

const SPOKE_NAMESPACE = 'open-cluster-management-agent';
const SPOKE_ACCOUNT = 'klusterlet-work-sa';

/** Kubeconfigs of the group system:masters, for an agent that we know nothing of: its roles are its own affair. */
export async function adminAccess(world: ConformanceWorld, { cluster, folder }: Place): Promise<AgentPlaces> {
  const kubeconfig = async (plane: ControlPlane, url: string) => {
    const user = { commonName: 'judged-agent', organizations: ['system:masters'] };
    const { certPem, keyPem } = await plane.issueClientCertificate(user);
    const file = join(folder, `agent-on-${plane.name}.kubeconfig`);
    const address = { name: plane.name, url, caPem: plane.caPem };
    return writeKubeconfig({ plane: address, file, clientCert: { certPem, keyPem } });
  };
  const { hubPlane, spokePlane, link } = world;
  return {
    cluster,
    hub: await kubeconfig(hubPlane, link.url),
    spoke: await kubeconfig(spokePlane, spokePlane.url),
  };
}

/** Applies our work agent's shipped roles and gives kubeconfigs of its two service accounts. */
export async function shippedAccess(world: ConformanceWorld, place: Place): Promise<AgentPlaces> {
  const { hubPlane, spokePlane, link } = world;
  const { cluster, folder, signal } = place;
  const template = deployed('rbac', 'work-agent.hub.yaml');
  const hubRoles = await rendered(template, { folder, values: { CLUSTER_NAME: cluster } });
  await Promise.all([
    applyFolder(hubPlane, [hubRoles]),
    applyFolder(spokePlane, [deployed('rbac', 'work-agent.spoke.yaml')]),
    spokePlane.kubectl(['apply', '--filename=-'], { input: JSON.stringify(addOnRole) }),
  ]);
  await rolesAggregated(spokePlane, signal);
  const kubeconfig = async (plane: ControlPlane, account: { url: string; namespace: string; name: string }) => {
    const { url, namespace, name: serviceAccount } = account;
    const token = await tokenFor({ plane, namespace, serviceAccount });
    const address = { name: plane.name, url, caPem: plane.caPem };
    return writeKubeconfig({ plane: address, file: join(folder, `${serviceAccount}.kubeconfig`), namespace, token });
  };
  return {
    cluster,
    hub: await kubeconfig(hubPlane, { url: link.url, namespace: cluster, name: 'work-agent' }),
    spoke: await kubeconfig(spokePlane, { url: spokePlane.url, namespace: SPOKE_NAMESPACE, name: SPOKE_ACCOUNT }),
  };
}

/** What an add-on ships beside its kinds so that the work agent may apply them, and the kinds themselves. */
const addOnRole = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'conformance', labels: { 'open-cluster-management.io/aggregate-to-work': 'true' } },
  rules: [
    { apiGroups: [GROUP], resources: ['*'], verbs: ['get', 'create', 'update', 'patch', 'delete'] },
    {
      apiGroups: ['apiextensions.k8s.io'],
      resources: ['customresourcedefinitions'],
      verbs: ['get', 'create', 'update', 'patch', 'delete'],
    },
  ],
};

/** The controller manager fills in aggregated roles, a moment after they are there. */
async function rolesAggregated(plane: ControlPlane, signal: AbortSignal): Promise<void> {
  const account = `system:serviceaccount:${SPOKE_NAMESPACE}:${SPOKE_ACCOUNT}`;
  const resources = ['configmaps', 'namespaces', 'customresourcedefinitions']; // one of each role that is summed up
  const check = async (limit: AbortSignal) => {
    for (const resource of resources) {
      const question = ['auth', 'can-i', 'create', resource, '--namespace=default', `--as=${account}`];
      await plane.kubectl(question, { signal: limit });
    }
    return true;
  };
  await waitFor({ what: 'the aggregated roles', check, timeoutMs: 120_000, intervalMs: 250, signal });
}
