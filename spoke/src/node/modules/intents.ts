import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from './durable-files.ts';
import type { LoadIntent, ModuleKey } from './plan.ts';

/** What the agent set out to load, on the node's disk, so that an agent that was killed knows what it left. */
export class Intents {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async list(): Promise<LoadIntent[]> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const names = (await readdir(this.#folder)).filter((name) => name.endsWith('.json')).sort();
    const intents = await Promise.all(names.map((name) => this.#read(name)));
    return intents.filter((intent) => intent !== undefined);
  }

  /** On the disk when it resolves: a power cut right after the load must not make us forget it. */
  async write(intent: LoadIntent): Promise<void> {
    await writeDurably(this.#fileOf(intent), JSON.stringify(intent));
  }

  async remove(key: ModuleKey): Promise<void> {
    await rm(this.#fileOf(key), { force: true });
  }

  /** A file that a power cut left empty says nothing and is dropped: the kernel's own list decides then. */
  async #read(name: string): Promise<LoadIntent | undefined> {
    const text = await readFile(join(this.#folder, name), 'utf8');
    try {
      return JSON.parse(text) as LoadIntent;
    } catch {
      await rm(join(this.#folder, name), { force: true });
      return undefined;
    }
  }

  #fileOf({ namespace, name }: ModuleKey): string {
    return join(this.#folder, `${namespace}.${name}.json`);
  }
}
