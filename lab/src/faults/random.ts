/** Numbers that look random and are the same for the same seed. */
export type Dice = { /** A whole number from 0 to `limit` - 1. */ below: (limit: number) => number };

/** Mulberry32, a public-domain generator by Tommy Ettinger: 32 bits of state are enough to draw faults. */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  const below = (limit: number) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
  return { below };
}

/** The same things in an order that is drawn (Fisher and Yates). */
export function shuffled<T>(things: readonly T[], { below }: Dice): T[] {
  const order = [...things];
  for (let left = order.length; left > 1; left -= 1) {
    const drawn = below(left);
    [order[left - 1], order[drawn]] = [order[drawn] as T, order[left - 1] as T];
  }
  return order;
}
