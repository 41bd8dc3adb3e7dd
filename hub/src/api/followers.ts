import { TooManyFollowersError } from './errors.ts';

export const followerLimits = { all: 64, ofOneUser: 8 };

/** Counts who follows a log now, so that nobody can take all connections of Redis. */
export class Followers {
  readonly #limits: typeof followerLimits;
  readonly #byUser = new Map<string, number>();
  #all = 0;

  constructor(limits = followerLimits) {
    this.#limits = limits;
  }

  /** Answers with what lets the place go again. @throws TooManyFollowersError */
  enter(user: string): () => void {
    const { all, ofOneUser } = this.#limits;
    const own = this.#byUser.get(user) ?? 0;
    if (this.#all >= all) throw new TooManyFollowersError(all, '');
    if (own >= ofOneUser) throw new TooManyFollowersError(ofOneUser, ` by ${user}`);
    this.#all += 1;
    this.#byUser.set(user, own + 1);
    let here = true;
    return () => {
      if (here) this.#leave(user);
      here = false;
    };
  }

  #leave(user: string): void {
    this.#all -= 1;
    const left = (this.#byUser.get(user) ?? 1) - 1;
    if (left === 0) this.#byUser.delete(user);
    else this.#byUser.set(user, left);
  }
}
