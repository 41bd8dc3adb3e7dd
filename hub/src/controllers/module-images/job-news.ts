import type { ModuleImageStatus } from '@kmm-hub/api-types';
import type { ImageResult } from '@kmm-hub/queue/client';

/** What the queue told of one image's job and its status does not say yet. */
export type News = {
  result?: ImageResult;
  step?: ModuleImageStatus['phase'];
  /** A Secret of the recipe changed, and the last job may have read the old one. */
  hinted?: boolean;
};

/** What was told of each image and nobody acted on yet. */
export class JobNews {
  readonly #news = new Map<string, News>();

  tell(image: string, news: News): void {
    this.#news.set(image, merged(this.#news.get(image), news));
  }

  /** The news to act on; hand it to `giveBack` when that failed. */
  take(image: string): News | undefined {
    const news = this.#news.get(image);
    this.#news.delete(image);
    return news;
  }

  /** As if it had never been taken; what was told meanwhile is newer. */
  giveBack(image: string, taken: News | undefined): void {
    if (taken !== undefined) this.#news.set(image, merged(taken, this.#news.get(image) ?? {}));
  }

  /** Images with news; nothing is kept of those that were acted on. */
  get size(): number {
    return this.#news.size;
  }
}

/** A result ends the steps before it, and a step that arrives behind the end of its job is old. A hint stays. */
function merged(old: News | undefined, newer: News): News {
  const result = newer.result ?? old?.result;
  const step = newer.step ?? old?.step;
  const hinted = newer.hinted === true || old?.hinted === true;
  return { ...(result ? { result } : step && { step }), ...(hinted && { hinted }) };
}
