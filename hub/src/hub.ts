import type { ModuleImage, ModuleImageStatus } from '@kmm-hub/api-types';
import {
  Controller,
  type Election,
  EventRecorder,
  type KubeClient,
  noElection,
  type ReconcileMetrics,
} from '@kmm-hub/kube';
import { ImageQueue, type ImageStep } from '@kmm-hub/queue/client';
import type { Logger } from 'pino';
import { type Outcomes, reconcileWork } from './controllers/cluster-work/reconcile.ts';
import { JOBS_KEY, jobsReconciler } from './controllers/image-jobs/reconcile.ts';
import { WantedJobs } from './controllers/image-jobs/wanted-jobs.ts';
import { JobNews, type News } from './controllers/module-images/job-news.ts';
import { reconcileImage } from './controllers/module-images/reconcile.ts';
import type { ModuleSums } from './controllers/module-status/module-sums.ts';
import { moduleSums, reconcileStatus } from './controllers/module-status/reconcile.ts';
import { Demand } from './fleet/demand.ts';
import { Fleet } from './fleet/fleet.ts';
import { connectTriggers } from './triggers.ts';

export type HubOptions = {
  /** Its writes are those of the leader alone: it has the fence of `election`. */
  client: KubeClient;
  /** Default: this is the only instance. */
  election?: Pick<Election, 'run'>;
  namespace: string;
  redisUrl: string;
  log: Logger;
  metrics: ReconcileMetrics;
};

export const CONTROLLERS = ['module-recipes', 'module-images', 'image-jobs', 'cluster-work', 'module-status'] as const;

/** Jobs that become due together are chosen among together. */
const JOBS_COALESCE_MS = 100;

/** The status of a module is written at most this often. */
const STATUS_INTERVAL_MS = 1000;

const PHASES: Record<ImageStep, ModuleImageStatus['phase']> = {
  Looking: 'Pending',
  Building: 'Building',
  Signing: 'Signing',
  Publishing: 'Signing',
};

/**
 * The hub: caches, and the controllers that act on them while this instance leads. Disposing lets go of Redis, so that the
 * process can end.
 */
export class Hub implements AsyncDisposable {
  readonly #fleet: Fleet;
  readonly #demand: Demand;
  readonly #queue: ImageQueue;
  readonly #news = new JobNews();
  readonly #wanted = new WantedJobs(() => {
    if (this.#acting) this.#jobs.queue.addAfter(JOBS_KEY, JOBS_COALESCE_MS);
  });
  /** Module → the images it wanted when its recipes were last planned. */
  readonly #planned = new Map<string, string[]>();
  readonly #lastStatus = new Map<string, number>();
  readonly #sums: ModuleSums;
  readonly #election: Pick<Election, 'run'>;
  /** True from the moment this instance leads; a standby keeps its queues empty. */
  #acting = false;
  readonly #recipes: Controller;
  readonly #images: Controller;
  readonly #jobs: Controller;
  readonly #works: Controller;
  readonly #statuses: Controller;

  constructor({ client, election = noElection, namespace, redisUrl, log, metrics }: HubOptions) {
    const fleet = new Fleet({ client, namespace, log });
    const demand = new Demand(fleet);
    const queue = this.#connectQueue(redisUrl);
    this.#election = election;
    this.#fleet = fleet;
    this.#demand = demand;
    this.#queue = queue;
    const outcomes: Outcomes = new Map();
    const events = new EventRecorder({ client, component: 'kmm-hub', log });
    const jobs = this.#wanted;
    const imageDeps = { client, fleet, demand, jobs, news: this.#news, writtenOver: new Map(), events, log };
    const changed = (module: string, cluster: string) => this.#touchStatus(module, cluster);
    const workDeps = { client, fleet, demand, outcomes, changed, log };
    this.#sums = moduleSums({ fleet, outcomes });
    const statusDeps = { client, fleet, sums: this.#sums, unsureSince: new Map(), events, log };
    const runtime = { log, metrics };
    this.#recipes = new Controller({
      name: 'module-recipes',
      reconcile: async (module) => this.#reconcileRecipes(module),
      concurrency: 1,
      ...runtime,
    });
    this.#images = new Controller({
      name: 'module-images',
      reconcile: (key, signal) => reconcileImage(imageDeps, key, signal),
      ...runtime,
    });
    this.#jobs = new Controller({
      name: 'image-jobs',
      reconcile: jobsReconciler({ fleet, demand, queue, jobs, log }),
      concurrency: 1,
      ...runtime,
    });
    this.#works = new Controller({
      name: 'cluster-work',
      reconcile: (key, signal) => reconcileWork(workDeps, key, signal),
      concurrency: 32,
      ...runtime,
    });
    this.#statuses = new Controller({
      name: 'module-status',
      reconcile: (key, signal) => {
        this.#noteStatus(key);
        return reconcileStatus(statusDeps, key, signal);
      },
      concurrency: 2,
      ...runtime,
    });
  }

  #connectQueue(redisUrl: string): ImageQueue {
    return new ImageQueue(redisUrl, {
      onResult: (name, result) => this.#tell(name, { result, hinted: this.#wanted.forget(name) }),
      onHint: (name) => {
        if (!this.#wanted.hint(name)) this.#tell(name, { hinted: true });
      },
      onStep: (name, step) => this.#tell(name, { step: PHASES[step] }),
      onConnected: () => this.#wanted.redisIsBack(),
    });
  }

  /** Why the hub cannot do its work now. */
  problems(): string[] {
    return [...this.#fleet.problems(), ...this.#queue.problems()];
  }

  /** False while what `image` says may only be not seen yet. */
  get synced(): boolean {
    return this.#fleet.synced;
  }

  /** The ModuleImage of the name as it was last seen. */
  image(name: string): ModuleImage | undefined {
    return this.#fleet.images.get(name);
  }

  get controllers(): readonly Controller[] {
    return [this.#recipes, this.#images, this.#jobs, this.#works, this.#statuses];
  }

  /**
   * Runs until aborted. It stands for the lead once every cache is filled: half a fleet would plan and delete wrongly.
   * @throws LeadershipLostError
   */
  async run(signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const following = this.#fleet.run(AbortSignal.any([signal, ended.signal]));
    try {
      await this.#fleet.whenSynced(signal);
      await this.#election.run((term) => this.#act(term), signal);
    } finally {
      ended.abort();
      await following;
    }
  }

  async #act(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.#acting = true;
    this.#connect();
    await Promise.all(this.controllers.map((controller) => controller.run(signal)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue.close();
  }

  #connect(): void {
    connectTriggers({
      fleet: this.#fleet,
      demand: this.#demand,
      recipes: (module) => this.#recipes.queue.add(module),
      images: (image) => this.#images.queue.add(image),
      works: (key, delayMs) => this.#works.queue.addAfter(key, delayMs),
      status: (module, cluster) => this.#touchStatus(module, cluster),
    });
  }

  /** Looks at every image that the module wanted or wants now. */
  #reconcileRecipes(module: string): undefined {
    const before = this.#planned.get(module) ?? [];
    const now = this.#demand.imagesOf(module);
    if (now.length === 0) this.#planned.delete(module);
    else this.#planned.set(module, now);
    const priority = this.#recipes.queue.priorityOf(module); // low at a start: what changes since then goes before it
    for (const image of new Set([...before, ...now])) this.#images.queue.add(image, priority);
  }

  /** What a standby misses costs one look: the image is looked at when it begins to lead. */
  #tell(image: string, news: News): void {
    if (!this.#acting) return;
    this.#news.tell(image, news);
    this.#images.queue.add(image);
  }

  #noteStatus(module: string): void {
    if (this.#fleet.modules.get(module) === undefined) this.#lastStatus.delete(module);
    else this.#lastStatus.set(module, Date.now());
  }

  /** `addAfter` keeps the earlier of two times, so a burst of changes is one write an interval. */
  #touchStatus(module: string, cluster?: string): void {
    this.#sums.touch(module, cluster);
    const sinceMs = Date.now() - (this.#lastStatus.get(module) ?? 0);
    this.#statuses.queue.addAfter(module, STATUS_INTERVAL_MS - sinceMs);
  }
}
