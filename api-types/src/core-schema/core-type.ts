import { type TSchemaOptions, Type } from 'typebox';

/** core/v1 EnvVar. */
export type EnvVar = { name: string; value?: string; valueFrom?: Record<string, unknown> };
/** core/v1 VolumeMount. */
export type VolumeMount = {
  name: string;
  mountPath: string;
  readOnly?: boolean;
  recursiveReadOnly?: string;
  subPath?: string;
  subPathExpr?: string;
  mountPropagation?: string;
};
/** core/v1 Volume: a name and one source. */
export type Volume = { name: string; hostPath?: { path: string; type?: string }; [source: string]: unknown };
/** core/v1 ResourceRequirements. */
export type ResourceRequirements = {
  limits?: Record<string, string | number>;
  requests?: Record<string, string | number>;
  claims?: { name: string; request?: string }[];
};

type CoreTypes = {
  EnvVar: EnvVar;
  ResourceRequirements: ResourceRequirements;
  Volume: Volume;
  VolumeMount: VolumeMount;
};

/** The core types that our kinds carry; `npm run refresh:core-v1` extracts them and all they refer to. */
export const CORE_ROOTS = [
  'EnvVar',
  'ResourceRequirements',
  'Volume',
  'VolumeMount',
] as const satisfies (keyof CoreTypes)[];

/**
 * A field of one of Kubernetes' own types. Here it is only named; the generator writes the API server's schema of it into the
 * CRD, so that no process carries 2,000 lines that it never reads.
 */
export function CoreType<K extends keyof CoreTypes>(name: K, options: TSchemaOptions = {}) {
  return Type.Unsafe<CoreTypes[K]>({ type: 'object', 'x-core-type': name, ...options });
}
