import type { ModuleImageStatus } from '@kmm-hub/api-types';
import type { ImageResult } from '@kmm-hub/queue/client';

/** What the queue told of one image's job and its status does not say yet. */
export type News = { result?: ImageResult; step?: ModuleImageStatus['phase'] };

/** The latest news of each image. What arrives while older news is being written down stays until it was read itself. */
export class JobNews {
  readonly #news = new Map<string, News>();

  /** A step that arrives behind the end of its job is old and changes nothing. */
  tell(image: string, news: News): void {
    if (news.result === undefined && this.#news.get(image)?.result !== undefined) return;
    this.#news.set(image, news);
  }

  /** The news to act on; hand it back to `settle`. */
  of(image: string): News | undefined {
    return this.#news.get(image);
  }

  /** Drops what was read, and nothing newer. */
  settle(image: string, read: News | undefined): void {
    if (this.#news.get(image) === read) this.#news.delete(image);
  }

  /** Images with news; nothing is kept of those that were read. */
  get size(): number {
    return this.#news.size;
  }
}
