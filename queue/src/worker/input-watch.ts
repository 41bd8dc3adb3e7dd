import { type ModuleImage, moduleImage, type Resource, type Secret, secret } from '@kmm-hub/api-types';
import { type Cache, conditionOf, type KubeClient, Reflector } from '@kmm-hub/kube';
import type { Logger } from 'pino';
import { SECRET_NOT_FOUND } from './errors.ts';
import { allSecretsOf, type SecretReference } from './secrets-of.ts';

export type InputWatchOptions = {
  client: KubeClient;
  namespace: string;
  /** Gets the name of each ModuleImage whose Secrets changed, or are there at last. Often the same one. */
  onChange: (image: string) => void;
  log: Logger;
};

/** Which Secrets and ModuleImages there are, as far as hints are decided by them. */
export type InputCaches = { secrets: Cache<Secret>; images: Cache<ModuleImage> };

/** Indexes that connectHints needs: Secrets by name, ModuleImages by the Secrets that they name. */
export const inputIndexes = {
  secrets: { name: ({ metadata }: Secret) => [metadata.name] },
  images: { secret: ({ spec }: ModuleImage) => [...new Set(allSecretsOf(spec).map(({ name }) => name))] },
};

/**
 * Follows the Secrets of the hub's namespace, which only workers may read, and tells which images a change concerns. Every
 * worker does so: a hint too many costs one look. No value of a Secret is kept.
 */
export class InputWatch {
  readonly #secrets: Reflector<Secret>;
  readonly #images: Reflector<ModuleImage>;
  readonly #onChange: (image: string) => void;

  constructor({ client, namespace, onChange, log }: InputWatchOptions) {
    this.#onChange = onChange;
    const secrets = { resource: secret, select: { namespace }, trim: withoutValues, indexes: inputIndexes.secrets };
    const images = { resource: moduleImage as Resource<ModuleImage>, indexes: inputIndexes.images };
    this.#secrets = new Reflector({ client, log, ...secrets });
    this.#images = new Reflector({ client, log, ...images });
  }

  /** Why changes may go unnoticed. */
  problems(): string[] {
    return [this.#secrets.problem ?? [], this.#images.problem ?? []].flat();
  }

  /** Runs until aborted; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    connectHints({ secrets: this.#secrets.cache, images: this.#images.cache }, this.#onChange);
    await Promise.all([this.#secrets.run(signal), this.#images.run(signal)]);
  }
}

/**
 * 1. A Secret changed, or came: every image that names it. One that was there at the start did not change, and one that went
 * takes nothing away from what is published. 2. An image lacks a Secret, by its status, and all that it names are there:
 * the Secret came while a job was under way, or while no worker was.
 */
export function connectHints({ secrets, images }: InputCaches, hint: (image: string) => void): void {
  const isHealed = (image: ModuleImage) =>
    lacksSecret(image) && allSecretsOf(image.spec).every((one) => isThere(secrets, one));
  secrets.onChange(({ current }) => {
    if (current === undefined) return;
    const concerned = images.byIndex('secret', current.metadata.name);
    for (const image of secrets.synced ? concerned : concerned.filter(isHealed)) hint(image.metadata.name);
  });
  images.onChange(({ current }) => {
    if (current !== undefined && isHealed(current)) hint(current.metadata.name);
  });
}

function lacksSecret({ status }: ModuleImage): boolean {
  return conditionOf(status?.conditions, 'Ready')?.reason === SECRET_NOT_FOUND;
}

function isThere(secrets: Cache<Secret>, { name, key }: SecretReference): boolean {
  const [found] = secrets.byIndex('name', name);
  return found !== undefined && (key === undefined || found.data?.[key] !== undefined);
}

/** Keys alone. */
function withoutValues({ metadata, data = {} }: Secret): Secret {
  const { name, namespace = '', uid = '', resourceVersion = '' } = metadata;
  const keys = Object.keys(data).map((key) => [key, '']);
  return { metadata: { name, namespace, uid, resourceVersion }, data: Object.fromEntries(keys) };
}
