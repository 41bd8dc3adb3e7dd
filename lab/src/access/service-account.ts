import type { ControlPlane } from '../servers/control-plane.ts';
import { writeKubeconfig } from './kubeconfig.ts';

export type TokenOptions = {
  plane: ControlPlane;
  namespace: string;
  serviceAccount: string;
  /** Binds the token to a Node: it carries the node claim and ends with that Node. */
  boundNode?: { name: string; uid: string };
  /** The API server grants no less than 600. Default 86,400: longer than a world lives. */
  expirationSeconds?: number;
};

const defaultExpirationSeconds = 86_400;

/** A token of a service account, by TokenRequest. @throws CommandFailedError, e.g. when there is no such account. */
export async function tokenFor(options: TokenOptions): Promise<string> {
  const { plane, namespace, serviceAccount, boundNode, expirationSeconds = defaultExpirationSeconds } = options;
  const bound =
    boundNode === undefined
      ? []
      : ['--bound-object-kind=Node', `--bound-object-name=${boundNode.name}`, `--bound-object-uid=${boundNode.uid}`];
  const request = ['create', 'token', serviceAccount, `--namespace=${namespace}`, `--duration=${expirationSeconds}s`];
  return plane.kubectl([...request, ...bound]);
}

/** A kubeconfig with a token of a service account, its context in the account's namespace. Gives the path. */
export async function kubeconfigForServiceAccount(options: TokenOptions & { file: string }): Promise<string> {
  const { plane, namespace, file } = options;
  return writeKubeconfig({ plane, file, namespace, token: await tokenFor(options) });
}
