/** `1 cluster`, `2 clusters`. */
export function many(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `1 of 3 clusters`, `1 of 1 cluster`. */
export function share(part: number, total: number, noun: string): string {
  return `${part} of ${many(total, noun)}`;
}

/** The verb for so many. */
export function verb(count: number, one: string, other: string): string {
  return count === 1 ? one : other;
}
