/** Every rule by the words of its message, with a Module's spec that keeps it and one that breaks it and no other. */
export type RuleRow = { message: string; field: string; good: object; bad: object };

const names = (key: string, cert = 'cert') => ({ keySecret: { name: key }, certSecret: { name: cert } });
const mapping = { regexp: '^.+$', containerImage: 'r/kmod:${KERNEL_FULL_VERSION}' };
const build = { dockerfileConfigMap: { name: 'dockerfile' } };
const sign = { ...names('key'), filesToSign: ['/opt/lib/modules/${KERNEL_FULL_VERSION}/kmod.ko'] };

/** Spec of a Module whose container has these fields beside, or instead of, the plainest ones. */
export const loading = (container: object) => ({
  selector: {},
  moduleLoader: { container: { modprobe: { moduleName: 'kmod' }, kernelMappings: [mapping], ...container } },
});
const mapped = (fields: object, container: object = {}) =>
  loading({ ...container, kernelMappings: [{ ...mapping, ...fields }] });
const probing = (modprobe: object) => loading({ modprobe });
const tolerating = (toleration: object) => ({ ...loading({}), tolerations: [toleration] });
const plugin = (fields: object) => ({ selector: {}, devicePlugin: { container: { image: 'r/plugin:1' }, ...fields } });
const dra = (fields: object) => ({
  selector: {},
  dra: { container: { image: 'r/driver:1' }, driverName: 'gpu.example.com', ...fields },
});
const mounting = (path: string) => plugin({ volumes: [{ name: 'v', hostPath: { path } }] });
const raw = { load: ['kmod'], unload: ['-r', 'kmod'] };

const CONTAINER = 'spec.moduleLoader.container';
const MAPPING = `${CONTAINER}.kernelMappings[0]`;
const MODPROBE = `${CONTAINER}.modprobe`;
const TOLERATION = 'spec.tolerations[0]';

const exclusive: RuleRow[] = [
  {
    message: 'devicePlugin and dra are mutually exclusive; remove one of them',
    field: 'spec',
    good: plugin({}),
    bad: { ...plugin({}), ...dra({}) },
  },
];

const images: RuleRow[] = [
  {
    message: 'containerImage has neither tag nor digest; add a tag such as :${KERNEL_FULL_VERSION}, or a digest',
    field: MAPPING,
    good: mapped({ containerImage: 'r:5000/kmod@sha256:00' }),
    bad: mapped({ containerImage: 'r:5000/kmod' }), // upstream takes the port for a tag
  },
  {
    message: 'containerImage has neither tag nor digest; add a tag such as :${KERNEL_FULL_VERSION}, or a digest',
    field: CONTAINER,
    good: mapped({ containerImage: '' }, { containerImage: 'r/kmod:${KERNEL_XYZ:-a/b}' }),
    bad: mapped({}, { containerImage: 'r/kmod' }),
  },
  {
    message: 'a kernel mapping has no containerImage; set it there, or set containerImage of the container for all',
    field: CONTAINER,
    good: mapped({ containerImage: '' }, { containerImage: 'r/kmod:1' }),
    bad: mapped({ containerImage: '' }),
  },
  {
    message: 'a kernel mapping needs exactly one of literal and regexp; remove one, or set one',
    field: MAPPING,
    good: mapped({ regexp: '', literal: '6.1.0' }),
    bad: mapped({ literal: '6.1.0' }),
  },
  {
    message: 'regexp is not an RE2 expression; correct it (RE2 has no look-around and no back-references)',
    field: MAPPING,
    good: mapped({ regexp: '^6\\.(1|12)\\..*[+]$' }),
    bad: mapped({ regexp: '^6(?!\\.1)' }),
  },
  {
    message:
      'build names no Dockerfile; set dockerfileConfigMap.name, there or in build of the container, to a ConfigMap with key dockerfile',
    field: CONTAINER,
    good: mapped({ build: { dockerfileConfigMap: {} } }, { build }),
    bad: mapped({ build: { dockerfileConfigMap: {} } }),
  },
  {
    message: 'imagePullPolicy must be Always, IfNotPresent or Never; correct it, or remove it',
    field: `${CONTAINER}.imagePullPolicy`,
    good: loading({ imagePullPolicy: 'Always' }),
    bad: loading({ imagePullPolicy: 'always' }),
  },
  {
    message: 'version must be a label value, since nodes carry it: letters, digits, - _ and . between them; correct it',
    field: `${CONTAINER}.version`,
    good: loading({ version: '1.2.3-rc_4' }),
    bad: loading({ version: '1.2.3+4' }),
  },
];

const inTree: RuleRow[] = [
  {
    message:
      'inTreeModulesToRemove and inTreeModuleToRemove exclude each other; keep the list and remove inTreeModuleToRemove',
    field: CONTAINER,
    good: loading({ inTreeModulesToRemove: ['old'] }),
    bad: loading({ inTreeModulesToRemove: ['old'], inTreeModuleToRemove: 'old' }),
  },
  {
    message:
      'inTreeModulesToRemove and inTreeModuleToRemove exclude each other; keep the list and remove inTreeModuleToRemove',
    field: MAPPING,
    good: mapped({ inTreeModuleToRemove: 'old' }),
    bad: mapped({ inTreeModulesToRemove: ['old'], inTreeModuleToRemove: 'old' }),
  },
  {
    message:
      'a kernel mapping sets inTreeModuleToRemove beside inTreeModulesToRemove of the container; use the list in both',
    field: CONTAINER,
    good: mapped({ inTreeModulesToRemove: ['older'] }, { inTreeModulesToRemove: ['old'] }),
    bad: mapped({ inTreeModuleToRemove: 'older' }, { inTreeModulesToRemove: ['old'] }),
  },
  {
    message:
      'a kernel mapping sets inTreeModulesToRemove beside inTreeModuleToRemove of the container; use the list in both',
    field: CONTAINER,
    good: mapped({ inTreeModuleToRemove: 'older' }, { inTreeModuleToRemove: 'old' }),
    bad: mapped({ inTreeModulesToRemove: ['older'] }, { inTreeModuleToRemove: 'old' }),
  },
];

const signing: RuleRow[] = [
  {
    message: 'filesToSign is empty; list the .ko files to sign, below modprobe.dirName, or remove sign',
    field: `${CONTAINER}.sign`,
    good: loading({ build, sign }),
    bad: mapped({ sign }, { build, sign: names('key') }), // the container's own, even if a mapping lists files
  },
  {
    message: 'filesToSign is empty; list the .ko files to sign, below modprobe.dirName, or remove sign',
    field: `${MAPPING}.sign`,
    good: mapped({ build, sign }),
    bad: mapped({ build, sign: { ...sign, filesToSign: [] } }),
  },
  {
    message:
      'sign.filesToSign must begin with modprobe.dirName and a slash, as in /opt/lib/modules/; correct the path or dirName',
    field: CONTAINER,
    good: loading({
      build,
      sign: { ...sign, filesToSign: ['/usr/lib/modules/a.ko'] },
      modprobe: { moduleName: 'kmod', dirName: '/usr' },
    }),
    bad: loading({ build, sign: { ...sign, filesToSign: ['/opt/a.ko', '/optional/a.ko'] } }),
  },
  {
    message:
      "a kernel mapping's sign.filesToSign must begin with modprobe.dirName and a slash, as in /opt/lib/modules/; correct the path or dirName",
    field: CONTAINER,
    good: mapped({ build, sign }),
    bad: mapped({ build, sign: { ...sign, filesToSign: ['${MOD_NAME}.ko'] } }),
  },
  {
    message:
      'sign names no Secret; set keySecret.name and certSecret.name, there or in sign of the container, to Secrets with key key and key cert',
    field: CONTAINER,
    good: mapped({ sign: { ...sign, ...names('') } }, { build, sign }),
    bad: mapped({ build, sign: { ...sign, ...names('key', '') } }),
  },
  {
    message: 'sign has nothing to sign: a kernel mapping has neither build nor sign.unsignedImage; set one of them',
    field: CONTAINER,
    good: mapped({ sign: { ...sign, unsignedImage: 'r/unsigned:1' } }),
    bad: mapped({ sign }),
  },
];

const modprobing: RuleRow[] = [
  {
    message: 'moduleName is the path of a file; write the name of the module alone, without folder and .ko',
    field: MODPROBE,
    good: probing({ moduleName: 'snd-soc_ko' }),
    bad: probing({ moduleName: 'kmod.ko.xz' }),
  },
  {
    message: 'dirName must be a path that begins with a slash and has no ..; correct it',
    field: `${MODPROBE}.dirName`,
    good: probing({ moduleName: 'kmod', dirName: '/usr/local..' }),
    bad: probing({ moduleName: 'kmod', dirName: 'opt' }),
  },
  {
    message: 'firmwarePath must be a path that begins with a slash and has no ..; correct it',
    field: `${MODPROBE}.firmwarePath`,
    good: probing({ moduleName: 'kmod', firmwarePath: '/firmware' }),
    bad: probing({ moduleName: 'kmod', firmwarePath: '/firmware/../etc' }),
  },
  {
    message: 'moduleName and rawArgs exclude each other; remove rawArgs, or move the name into rawArgs.load and unload',
    field: MODPROBE,
    good: probing({ rawArgs: raw }),
    bad: probing({ moduleName: 'kmod', rawArgs: { load: ['kmod'] } }),
  },
  {
    message: 'modprobe says nothing to load; set moduleName, or both rawArgs.load and rawArgs.unload',
    field: MODPROBE,
    good: probing({ moduleName: '', rawArgs: raw }),
    bad: probing({ rawArgs: { load: ['kmod'] } }),
  },
  {
    message: 'modulesLoadingOrder needs the module and at least one dependency; add it, or remove the list',
    field: MODPROBE,
    good: probing({ moduleName: 'kmod', modulesLoadingOrder: ['kmod', 'base'] }),
    bad: probing({ moduleName: 'kmod', modulesLoadingOrder: ['kmod'] }),
  },
  {
    message: 'modulesLoadingOrder must begin with moduleName; set moduleName, or put it first',
    field: MODPROBE,
    good: probing({ moduleName: 'kmod', modulesLoadingOrder: ['kmod', 'base', 'core'] }),
    bad: probing({ moduleName: 'kmod', modulesLoadingOrder: ['base', 'kmod'] }),
  },
  {
    message: 'modulesLoadingOrder names a module twice; remove one of the two',
    field: MODPROBE,
    good: probing({ moduleName: 'kmod', modulesLoadingOrder: ['kmod', 'base'] }),
    bad: probing({ moduleName: 'kmod', modulesLoadingOrder: ['kmod', 'base', 'base'] }),
  },
];

const pods: RuleRow[] = [
  {
    message: 'imagePullPolicy must be Always, IfNotPresent or Never; correct it, or remove it',
    field: 'spec.devicePlugin.container.imagePullPolicy',
    good: plugin({ container: { image: 'r/plugin:1', imagePullPolicy: 'Never' } }),
    bad: plugin({ container: { image: 'r/plugin:1', imagePullPolicy: 'Sometimes' } }),
  },
  {
    message: 'hostPath.path must be /dev, /sys, /var, /opt, /run or below one of them, without ..; choose another path',
    field: 'spec.devicePlugin.volumes[0]',
    good: mounting('//var/./lib//kubelet/'),
    bad: mounting('/devil'),
  },
  {
    message: 'hostPath.path must be /dev, /sys, /var, /opt, /run or below one of them, without ..; choose another path',
    field: 'spec.dra.volumes[0]',
    good: dra({ volumes: [{ name: 'v', hostPath: { path: '/run' } }] }),
    bad: dra({ volumes: [{ name: 'v', hostPath: { path: '/run/../etc' } }] }),
  },
  {
    message: 'driverName must be a lower-case DNS subdomain such as gpu.example.com; correct it',
    field: 'spec.dra.driverName',
    good: dra({ driverName: 'gpu' }),
    bad: dra({ driverName: '' }),
  },
  {
    message: 'name of a device class must be a lower-case DNS subdomain such as gpu.example.com; correct it',
    field: 'spec.dra.deviceClasses[0].name',
    good: dra({ deviceClasses: [{ name: 'gpu.example.com' }] }),
    bad: dra({ deviceClasses: [{ name: '' }] }),
  },
  {
    message: 'deviceClasses names a class twice; rename or remove one of the two',
    field: 'spec.dra.deviceClasses',
    good: dra({ deviceClasses: [{ name: 'a' }, { name: 'b' }] }),
    bad: dra({ deviceClasses: [{ name: 'a' }, { name: 'a' }] }),
  },
];

const tolerations: RuleRow[] = [
  {
    message: 'operator of a toleration must be Equal or Exists; correct it, or remove it for Equal',
    field: TOLERATION,
    good: tolerating({ key: 'a', operator: 'Equal' }),
    bad: tolerating({ key: 'a', operator: 'Lt' }),
  },
  {
    message: 'key of a toleration is empty; set it, or set operator Exists to tolerate every taint',
    field: TOLERATION,
    good: tolerating({ operator: 'Exists' }),
    bad: tolerating({ value: 'a' }),
  },
  {
    message: 'key of a toleration must be a label key such as example.com/gpu; correct it',
    field: TOLERATION,
    good: tolerating({ key: 'node.kubernetes.io/disk-pressure' }),
    bad: tolerating({ key: 'Example.com/gpu' }),
  },
  {
    message: 'key of a toleration must be a label key such as example.com/gpu; correct it',
    field: TOLERATION,
    good: tolerating({ key: `${'a'.repeat(253)}/b` }),
    bad: tolerating({ key: `${'a'.repeat(254)}/b` }),
  },
  {
    message: 'value of a toleration must be empty with operator Exists; remove value, or set operator Equal',
    field: TOLERATION,
    good: tolerating({ key: 'a', operator: 'Exists', value: '' }),
    bad: tolerating({ key: 'a', operator: 'Exists', value: 'b' }),
  },
  {
    message: 'value of a toleration must be a label value: letters, digits, - _ and . between them; correct it',
    field: TOLERATION,
    good: tolerating({ key: 'a', value: 'b.c_d-e' }),
    bad: tolerating({ key: 'a', value: 'b c' }),
  },
  {
    message:
      'effect of a toleration must be NoSchedule, PreferNoSchedule or NoExecute; correct it, or remove it for all',
    field: TOLERATION,
    good: tolerating({ key: 'a', effect: 'PreferNoSchedule' }),
    bad: tolerating({ key: 'a', effect: 'NoSelect' }),
  },
  {
    message: 'tolerationSeconds needs effect NoExecute; set the effect, or remove tolerationSeconds',
    field: TOLERATION,
    good: tolerating({ key: 'a', effect: 'NoExecute', tolerationSeconds: 60 }),
    bad: tolerating({ key: 'a', tolerationSeconds: 60 }),
  },
];

/** The rules that Module.spec and ManagedClusterModule.spec.moduleSpec share, in the order of KMM v2.6's webhook. */
export const moduleRules: RuleRow[] = [
  ...tolerations,
  ...exclusive,
  ...pods,
  ...images,
  ...inTree,
  ...modprobing,
  ...signing,
];
