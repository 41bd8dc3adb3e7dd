import type { ModuleImageStatus } from '@kmm-hub/api-types';
import { Controller, EventRecorder, type KubeClient, type ReconcileMetrics } from '@kmm-hub/kube';
import { ImageQueue, type ImageStep } from '@kmm-hub/queue/client';
import type { Logger } from 'pino';
import { type Outcomes, reconcileWork } from './controllers/cluster-work/reconcile.ts';
import { JobNews, type News } from './controllers/module-images/job-news.ts';
import { reconcileImage } from './controllers/module-images/reconcile.ts';
import { reconcileStatus } from './controllers/module-status/reconcile.ts';
import { Demand } from './fleet/demand.ts';
import { Fleet } from './fleet/fleet.ts';
import { connectTriggers } from './triggers.ts';

export type HubOptions = {
  client: KubeClient;
  namespace: string;
  redisUrl: string;
  log: Logger;
  metrics: ReconcileMetrics;
};

export const CONTROLLERS = ['module-recipes', 'module-images', 'cluster-work', 'module-status'] as const;

/** The status of a module is written at most this often. */
const STATUS_INTERVAL_MS = 1000;

const PHASES: Record<ImageStep, ModuleImageStatus['phase']> = {
  Looking: 'Pending',
  Building: 'Building',
  Signing: 'Signing',
  Publishing: 'Signing',
};

/** The hub: caches, and the controllers that act on them. Disposing lets go of Redis, so that the process can end. */
export class Hub implements AsyncDisposable {
  readonly #fleet: Fleet;
  readonly #demand: Demand;
  readonly #queue: ImageQueue;
  readonly #news = new JobNews();
  /** Module → the images it wanted when its recipes were last planned. */
  readonly #planned = new Map<string, string[]>();
  readonly #lastStatus = new Map<string, number>();
  readonly #recipes: Controller;
  readonly #images: Controller;
  readonly #works: Controller;
  readonly #statuses: Controller;

  constructor({ client, namespace, redisUrl, log, metrics }: HubOptions) {
    const fleet = new Fleet({ client, namespace, log });
    const demand = new Demand(fleet);
    const queue = new ImageQueue(redisUrl, {
      onResult: (name, result) => this.#tell(name, { result }),
      onStep: (name, step) => this.#tell(name, { step: PHASES[step] }),
      onConnected: () => this.#lookAtEveryImage(),
    });
    this.#fleet = fleet;
    this.#demand = demand;
    this.#queue = queue;
    const outcomes: Outcomes = new Map();
    const events = new EventRecorder({ client, component: 'kmm-hub', log });
    const imageDeps = { client, fleet, demand, queue, news: this.#news, writtenOver: new Map(), events, log };
    const workDeps = { client, fleet, demand, outcomes, changed: (name: string) => this.#touchStatus(name), log };
    const statusDeps = { client, fleet, outcomes, events, log };
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
    this.#works = new Controller({
      name: 'cluster-work',
      reconcile: (key, signal) => reconcileWork(workDeps, key, signal),
      concurrency: 32,
      ...runtime,
    });
    this.#statuses = new Controller({
      name: 'module-status',
      reconcile: (key, signal) => {
        if (fleet.modules.get(key) === undefined) this.#lastStatus.delete(key);
        else this.#lastStatus.set(key, Date.now());
        return reconcileStatus(statusDeps, key, signal);
      },
      concurrency: 2,
      ...runtime,
    });
  }

  /** Why the hub cannot do its work now. */
  problems(): string[] {
    return [...this.#fleet.problems(), ...this.#queue.problems()];
  }

  /** Runs until aborted. Deciding starts once every cache is filled: half a fleet would plan and delete wrongly. */
  async run(signal: AbortSignal): Promise<void> {
    const following = this.#fleet.run(signal);
    await this.#fleet.whenSynced(signal);
    if (this.#fleet.synced) this.#connect();
    const controllers = [this.#recipes, this.#images, this.#works, this.#statuses];
    await Promise.all([following, ...controllers.map((controller) => controller.run(signal))]);
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
      status: (module) => this.#touchStatus(module),
    });
  }

  /** Redis is there, again or for the first time, and may have lost every job. */
  #lookAtEveryImage(): void {
    if (!this.#fleet.synced) return;
    for (const { metadata } of this.#fleet.images.list()) this.#images.queue.add(metadata.name);
  }

  /** Looks at every image that the module wanted or wants now. */
  #reconcileRecipes(module: string): undefined {
    const before = this.#planned.get(module) ?? [];
    const now = [...this.#demand.recipesOf(module).keys()];
    if (now.length === 0) this.#planned.delete(module);
    else this.#planned.set(module, now);
    for (const image of new Set([...before, ...now])) this.#images.queue.add(image);
  }

  #tell(image: string, news: News): void {
    this.#news.tell(image, news);
    this.#images.queue.add(image);
  }

  /** `addAfter` keeps the earlier of two times, so a burst of changes is one write an interval. */
  #touchStatus(module: string): void {
    const sinceMs = Date.now() - (this.#lastStatus.get(module) ?? 0);
    this.#statuses.queue.addAfter(module, STATUS_INTERVAL_MS - sinceMs);
  }
}
