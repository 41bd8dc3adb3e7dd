// Every field of KMM v2.6's ModuleSpec, with values that obey its webhook.

const reference = (name: string) => ({ name });
const tls = { insecure: true, insecureSkipTLSVerify: true };
const build = {
  dockerfileConfigMap: reference('dockerfile'),
  buildArgs: [{ name: 'DEBUG', value: '' }],
  secrets: [reference('token')],
  baseImageRegistryTLS: tls,
  kanikoParams: { tag: 'latest' },
  selector: { 'node-role.kubernetes.io/builder': '' },
};
const sign = {
  keySecret: reference('key'),
  certSecret: reference('cert'),
  unsignedImage: 'r.example.com/unsigned:${KERNEL_FULL_VERSION}',
  unsignedImageRegistryTLS: tls,
  filesToSign: ['/opt/lib/modules/*/kmod.ko'],
};

const container = (image: string) => ({
  image,
  command: ['/bin/sh', '-c'],
  args: ['exec plugin\n'],
  env: [
    { name: 'NODE', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'spec.nodeName' } } },
    { name: 'LIMIT', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
    { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'token', key: 'token', optional: true } } },
    { name: 'PLAIN', value: 'text' },
  ],
  imagePullPolicy: 'IfNotPresent',
  resources: {
    limits: { cpu: 1, memory: '1Gi' },
    requests: { cpu: '100m' },
    claims: [{ name: 'gpu', request: 'one' }],
  },
  volumeMounts: [
    {
      name: 'plugins',
      mountPath: '/plugins',
      readOnly: true,
      recursiveReadOnly: 'IfPossible',
      mountPropagation: 'HostToContainer',
      subPathExpr: '$(NODE)',
    },
  ],
});

/** One volume of each shape that a structural schema is easily too narrow for. */
const volumes = [
  { name: 'plugins', hostPath: { path: '/var/lib/kubelet/device-plugins', type: 'Directory' } },
  { name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
  { name: 'config', configMap: { name: 'config', defaultMode: 420, items: [{ key: 'a', path: 'a', mode: 256 }] } },
  {
    name: 'disk',
    csi: { driver: 'csi.example.com', volumeAttributes: { size: '1' }, nodePublishSecretRef: { name: 's' } },
  },
  {
    name: 'all-in-one',
    projected: {
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { path: 'token', audience: 'plugin', expirationSeconds: 3600 } },
        { secret: { name: 'secret', items: [{ key: 'a', path: 'b' }] } },
        { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
        { clusterTrustBundle: { path: 'ca', labelSelector: { matchLabels: { a: 'b' } } } },
      ],
    },
  },
  {
    name: 'claimed',
    ephemeral: {
      volumeClaimTemplate: {
        metadata: { labels: { app: 'plugin' } },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: 'fast' },
      },
    },
  },
  { name: 'image', image: { reference: 'r.example.com/data:1', pullPolicy: 'Always' } },
  { name: 'nfs', nfs: { server: 'nfs.example.com', path: '/', readOnly: true } },
];

const pod = {
  container: container('r.example.com/plugin:1'),
  initContainer: container('r.example.com/init:1'),
  serviceAccountName: 'plugin',
  volumes,
  automountServiceAccountToken: false,
};

const moduleLoader = {
  serviceAccountName: 'loader',
  container: {
    modprobe: {
      moduleName: 'kmod',
      dirName: '/opt',
      parameters: ['debug=1'],
      args: { load: ['--force'], unload: ['--wait=1000'] },
      firmwarePath: '/firmware',
      modulesLoadingOrder: ['kmod', 'base'],
    },
    kernelMappings: [
      {
        regexp: '^.+\\.el9\\..+$',
        containerImage: 'r.example.com/kmod:${KERNEL_FULL_VERSION}',
        build,
        sign,
        registryTLS: tls,
        inTreeModulesToRemove: ['old'],
      },
      { literal: '6.1.0-53-amd64', containerImage: '' },
    ],
    containerImage: 'r.example.com/kmod:${KERNEL_XYZ}',
    build,
    sign,
    registryTLS: tls,
    imagePullPolicy: 'Always',
    version: '1.0',
    inTreeModulesToRemove: ['old', 'older'],
  },
};

export const wholeModuleSpec = {
  selector: { 'feature.node.kubernetes.io/pci-10de.present': 'true' },
  moduleLoader,
  devicePlugin: pod,
  imageRepoSecret: reference('pull'),
  tolerations: [
    { key: 'gpu', operator: 'Equal', value: 'yes', effect: 'NoExecute', tolerationSeconds: 60 },
    { operator: 'Exists' },
  ],
  imageRebuildTriggerGeneration: 1,
};

/** The same with a DRA driver in the device plugin's place. */
const { devicePlugin: _devicePlugin, ...rest } = wholeModuleSpec;
export const wholeDraModuleSpec = {
  ...rest,
  dra: {
    ...pod,
    driverName: 'gpu.example.com',
    deviceClasses: [
      {
        name: 'gpu.example.com',
        selectors: [{ cel: { expression: 'device.driver == "gpu.example.com"' } }],
        config: [
          {
            opaque: {
              driver: 'gpu.example.com',
              parameters: { apiVersion: 'gpu.example.com/v1', kind: 'Mode', share: { by: 2 } },
            },
          },
        ],
      },
    ],
  },
};
