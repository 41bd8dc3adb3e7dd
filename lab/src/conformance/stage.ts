import {
  type AppliedManifestWork,
  appliedManifestWork,
  type ConfigMap,
  configMap,
  type KubeObject,
  type ManifestWork,
  type ManifestWorkSpec,
  manifestWork,
  type Resource,
} from '@kmm-hub/api-types';
import type { KubeClient } from '@kmm-hub/kube';
import type { HubLink } from '../servers/hub-link.ts';
import type { JudgedAgent } from './agent.ts';
import { becomes, is, type Read, stays } from './expectation.ts';
import { appliedWorkName, type Manifest } from './objects.ts';

/** Where an agent is judged. Both clients are the judge's own, of the group system:masters. */
export type Bench = {
  hub: KubeClient;
  spoke: KubeClient;
  cluster: string;
  link: HubLink;
  agent: JudgedAgent;
};

export type Limits = {
  /** For what an agent does at once. */
  promptMs: number;
  /** For what it sees only by looking at the objects: two of its intervals and a little. */
  statusMs: number;
  /** For how long a thing that must not happen is waited for. */
  quietMs: number;
  /** Of the agent for vanished works, as it was started; undefined when that is not known. */
  evictionGraceMs?: number;
  /** From the start of the agent to its first deed. */
  startMs: number;
};

const works = manifestWork as Resource<ManifestWork>;
type SpecOptions = Omit<ManifestWorkSpec, 'workload'>;
export type ObjectName = { name: string; namespace?: string };

/** One case's own works and namespace, and the words to speak of them. Names of works are without the case's prefix. */
export class Stage {
  readonly bench: Bench;
  readonly limits: Limits;
  readonly signal: AbortSignal;
  /** Of the case on the spoke; also the prefix of its works. */
  readonly namespace: string;
  #touches = 0;

  constructor(bench: Bench, { namespace, limits, signal }: { namespace: string; limits: Limits; signal: AbortSignal }) {
    this.bench = bench;
    this.namespace = namespace;
    this.limits = limits;
    this.signal = signal;
  }

  /** `read` must bring what is expected within `limitMs`, by default promptly. @throws UnexpectedError */
  becomes(reason: string, { read, expected, limitMs = this.limits.promptMs }: Expectation): Promise<void> {
    return becomes(reason, { read, expected, limitMs }, this.signal);
  }

  /** `read` must bring what is expected for as long as a wrong agent would take to do wrong. @throws UnexpectedError */
  stays(reason: string, { read, expected, forMs = this.limits.quietMs }: Expectation): Promise<void> {
    return stays(reason, { read, expected, forMs }, this.signal);
  }

  /** @throws UnexpectedError */
  is(reason: string, seen: unknown, expected: unknown): void {
    is(reason, seen, expected);
  }

  createWork(work: string, manifests: readonly Manifest[], options: SpecOptions = {}): Promise<ManifestWork> {
    const spec = { workload: { manifests: [...manifests] }, ...options };
    return this.bench.hub.create(works, { metadata: this.#ref(work), spec }, this.signal);
  }

  work(work: string): Promise<ManifestWork | undefined> {
    return this.bench.hub.getIfPresent(works, this.#ref(work), this.signal);
  }

  /** Changes parts of the spec; manifests, a list, are replaced. */
  changeWork(work: string, spec: ManifestWorkSpec): Promise<ManifestWork> {
    return this.bench.hub.patch(works, { ref: this.#ref(work), patch: { spec } }, this.signal);
  }

  setManifests(work: string, manifests: readonly Manifest[]): Promise<ManifestWork> {
    return this.changeWork(work, { workload: { manifests: [...manifests] } });
  }

  /** Changes a label, which asks for a pass without a new generation. */
  async touch(work: string): Promise<void> {
    this.#touches += 1;
    const patch = { metadata: { labels: { 'conformance.example/touched': String(this.#touches) } } };
    await this.bench.hub.patch(works, { ref: this.#ref(work), patch }, this.signal);
  }

  deleteWork(work: string): Promise<void> {
    return this.bench.hub.delete(works, this.#ref(work), this.signal);
  }

  /** Takes the finalizers off and the work away, as a hub that is restored from an old backup does. */
  async vanishWork(work: string): Promise<void> {
    const ref = this.#ref(work);
    await this.bench.hub.patch(works, { ref, patch: { metadata: { finalizers: null } } }, this.signal);
    await this.deleteWork(work);
  }

  /** Events of the work, from now on. */
  async watchWork(work: string, timeoutSeconds: number) {
    const { name, namespace } = this.#ref(work);
    const select = { namespace, fieldSelector: `metadata.name=${name}` };
    const { resourceVersion } = await this.bench.hub.list(works, select, this.signal);
    return this.bench.hub.watch(works, { ...select, resourceVersion, timeoutSeconds }, this.signal);
  }

  /** The name of the work's AppliedManifestWork. */
  appliedName(work: string): string {
    return appliedWorkName(this.bench.link.url, this.#ref(work).name);
  }

  appliedWork(work: string): Promise<AppliedManifestWork | undefined> {
    return this.bench.spoke.getIfPresent(appliedManifestWork, { name: this.appliedName(work) }, this.signal);
  }

  configMap(name: string, namespace = this.namespace): Promise<ConfigMap | undefined> {
    return this.read(configMap, { name, namespace });
  }

  /** An object on the spoke. */
  read<T extends KubeObject>(resource: Resource<T>, ref: ObjectName): Promise<T | undefined> {
    return this.bench.spoke.getIfPresent(resource, ref, this.signal);
  }

  /** Merges into an object on the spoke, as somebody else than the agent. */
  async edit<T extends KubeObject>(
    resource: Resource<T>,
    { name, ...patch }: { name: string; subresource?: string; [field: string]: unknown },
  ): Promise<void> {
    const { subresource, ...change } = patch;
    const ref = { name, namespace: this.namespace };
    await this.bench.spoke.patch(resource, { ref, patch: change, ...(subresource && { subresource }) }, this.signal);
  }

  editConfigMap(name: string, change: { data?: object; metadata?: object }): Promise<void> {
    return this.edit(configMap, { name, ...change });
  }

  /** Applies on the server's side by force, as another manager. */
  async applyAs(fieldManager: string, object: Manifest): Promise<void> {
    const { name, namespace = this.namespace } = object.metadata;
    const options = { ref: { name, namespace }, type: 'apply' as const, fieldManager, force: true };
    await this.bench.spoke.patch(configMap, { ...options, patch: object }, this.signal);
  }

  async createOnSpoke<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T> {
    return this.bench.spoke.create(resource, object, this.signal);
  }

  removeFromSpoke<T extends KubeObject>(resource: Resource<T>, name: string): Promise<void> {
    return this.bench.spoke.delete(resource, { name, namespace: this.namespace }, this.signal);
  }

  #ref(work: string): { name: string; namespace: string } {
    return { namespace: this.bench.cluster, name: `${this.namespace}-${work}` };
  }
}

type Expectation = { read: Read; expected: unknown; limitMs?: number; forMs?: number };
