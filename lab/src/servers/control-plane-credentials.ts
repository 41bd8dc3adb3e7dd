import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeKubeconfig } from '../access/kubeconfig.ts';
import { type Certificate, type CertificateAuthority, createAuthority } from './certificates.ts';

export type ControlPlaneCredentials = {
  authority: CertificateAuthority;
  serving: Certificate;
  admin: Certificate;
  /** Private key that signs the tokens of service accounts. */
  serviceAccountKeyFile: string;
  /** Paths of kubeconfigs. */
  kubeconfigs: { admin: string; 'kube-controller-manager': string; 'kube-scheduler': string };
};

/** 10.0.2.2 is the host as a guest of QEMU's user network sees it (QEMU's documentation, "Using the user mode network stack"). */
const serverNames = [
  ...['DNS:localhost', 'DNS:kubernetes', 'DNS:kubernetes.default', 'DNS:kubernetes.default.svc'],
  ...['DNS:kubernetes.default.svc.cluster.local', 'IP:127.0.0.1', 'IP:10.0.2.2'],
];

/** Everything one control plane needs to trust and be trusted, in `folder`. One authority signs servers and clients. */
export async function createCredentials(plane: {
  name: string;
  url: string;
  folder: string;
}): Promise<ControlPlaneCredentials> {
  const { name, url, folder } = plane;
  const authority = await createAuthority(join(folder, 'pki'), `${name} lab authority`);
  const [serving, admin, serviceAccountKeyFile] = await Promise.all([
    authority.issue({ commonName: 'kube-apiserver', serverNames }),
    authority.issue({ commonName: 'lab-admin', organizations: ['system:masters'] }),
    createServiceAccountKey(join(folder, 'pki')),
  ]);
  const kubeconfigFor = async (user: string, clientCert: Certificate) =>
    writeKubeconfig({
      plane: { name, url, caPem: authority.certPem },
      file: join(folder, `${user}.kubeconfig`),
      clientCert,
    });
  const componentKubeconfig = async (component: string) =>
    kubeconfigFor(component, await authority.issue({ commonName: `system:${component}` }));
  const kubeconfigs = {
    admin: await kubeconfigFor('admin', admin),
    'kube-controller-manager': await componentKubeconfig('kube-controller-manager'),
    'kube-scheduler': await componentKubeconfig('kube-scheduler'),
  };
  return { authority, serving, admin, serviceAccountKeyFile, kubeconfigs };
}

async function createServiceAccountKey(folder: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const file = join(folder, 'service-account.key');
  await writeFile(file, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  return file;
}
