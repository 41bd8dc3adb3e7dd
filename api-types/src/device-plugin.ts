import { type Static, Type } from 'typebox';
import { CoreType } from './core-schema/core-type.ts';
import { DNS_SUBDOMAIN } from './patterns.ts';
import { Opaque, rules, Text, Texts } from './schema.ts';

const PULL_POLICY = rules({
  rule: "self in ['', 'Always', 'IfNotPresent', 'Never']",
  message: 'imagePullPolicy must be Always, IfNotPresent or Never; correct it, or remove it',
});

/** core/v1 PullPolicy; upstream's schema takes any string and the pod fails later. */
export const PullPolicy = Type.String({ maxLength: 32, description: 'Always, IfNotPresent or Never.', ...PULL_POLICY });

const words = { maxLength: 65_536 }; // a whole script may stand in one of them

/** One container of a device plugin or DRA driver (KMM v2.6 CommonContainerSpec). */
const CommonContainer = (description: string) =>
  Type.Object(
    {
      image: Type.String({ minLength: 1, maxLength: 512, description: 'Image; templates are not filled in.' }),
      command: Type.Optional(Texts("Entry point; the image's own when absent.", words)),
      args: Type.Optional(Texts('Arguments of the entry point.', words)),
      env: Type.Optional(Type.Array(CoreType('EnvVar'), { maxItems: 256, description: 'Environment.' })),
      imagePullPolicy: Type.Optional(PullPolicy),
      resources: Type.Optional(CoreType('ResourceRequirements', { description: 'What it asks for and may use.' })),
      volumeMounts: Type.Optional(
        Type.Array(CoreType('VolumeMount'), { maxItems: 128, description: 'Where the volumes are mounted.' }),
      ),
    },
    { description },
  );

/** Upstream compares the cleaned path; `..` is refused here, since CEL cannot clean a path. */
const HOST_PATHS = rules({
  rule: String.raw`!has(self.hostPath) || (self.hostPath.path.matches(r'^/(\.?/)*(dev|sys|var|opt|run)(/.*)?$') && !self.hostPath.path.matches(r'(^|/)\.\.(/|$)'))`,
  message: 'hostPath.path must be /dev, /sys, /var, /opt, /run or below one of them, without ..; choose another path',
});

const podFields = {
  container: CommonContainer('The container that every node of the module runs.'),
  initContainer: Type.Optional(CommonContainer('Runs to its end before the container starts.')),
  serviceAccountName: Type.Optional(Text('Service account of the pods.')),
  volumes: Type.Optional(
    Type.Array(CoreType('Volume', HOST_PATHS), { maxItems: 128, description: 'Volumes of the pods.' }),
  ),
  automountServiceAccountToken: Type.Optional(Type.Boolean({ description: 'Whether the pods get a token.' })),
};

/** KMM v2.6 DevicePluginSpec. */
export const DevicePlugin = Type.Object(podFields, {
  description: 'Device plugin that runs where the module is loaded; exclusive with dra.',
});
export type DevicePlugin = Static<typeof DevicePlugin>;

/** resource.k8s.io DeviceClass, as far as a Module writes it. */
const DeviceClass = Type.Object({
  name: Type.String({
    maxLength: 253,
    description: 'Name of the DeviceClass.',
    ...rules({
      rule: `self.matches('^${DNS_SUBDOMAIN}$')`,
      message: 'name of a device class must be a lower-case DNS subdomain such as gpu.example.com; correct it',
    }),
  }),
  selectors: Type.Optional(
    Type.Array(
      Type.Object({
        cel: Type.Optional(
          Type.Object({ expression: Text('Expression over `device`.', 10_240) }, { description: 'By CEL.' }),
        ),
      }),
      { maxItems: 32, description: 'Which devices belong to the class; all must hold.' },
    ),
  ),
  config: Type.Optional(
    Type.Array(
      Type.Object({
        opaque: Type.Optional(
          Type.Object(
            {
              driver: Text('Driver that the parameters are for.', 63),
              parameters: Opaque({ description: "The driver's own object." }),
            },
            { description: 'Handed to the driver as it is.' },
          ),
        ),
      }),
      { maxItems: 32, description: 'Configuration of every device of the class.' },
    ),
  ),
});

/** KMM v2.6 DRASpec. Needs Kubernetes 1.34 on the spoke. */
export const Dra = Type.Object(
  {
    ...podFields,
    driverName: Type.String({
      maxLength: 253,
      description: 'Name of the driver, a DNS subdomain such as gpu.example.com.',
      ...rules({
        rule: `self.matches('^${DNS_SUBDOMAIN}$')`,
        message: 'driverName must be a lower-case DNS subdomain such as gpu.example.com; correct it',
      }),
    }),
    deviceClasses: Type.Optional(
      Type.Array(DeviceClass, {
        maxItems: 64,
        description: 'DeviceClasses that are made for the driver.',
        ...rules({
          rule: 'self.all(a, self.exists_one(b, a.name == b.name))',
          message: 'deviceClasses names a class twice; rename or remove one of the two',
        }),
      }),
    ),
  },
  { description: 'Dynamic resource allocation driver; exclusive with devicePlugin. Needs Kubernetes 1.34.' },
);
export type Dra = Static<typeof Dra>;
