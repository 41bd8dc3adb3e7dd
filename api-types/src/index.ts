export { explain, HubError, MissingToolError, type Retry, UsageError } from './errors.ts';
export {
  apiVersionOf,
  type Condition,
  type KubeObject,
  keyOf,
  type ObjectMeta,
  type OwnerReference,
  type Resource,
} from './kube-object.ts';
