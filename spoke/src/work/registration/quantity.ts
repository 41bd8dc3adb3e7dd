import { HubError } from '@kmm-hub/api-types';

class QuantityError extends HubError {
  override readonly name = 'QuantityError';
  readonly code = 'InvalidQuantity';
  readonly retry = 'never';
  readonly remedy = 'A quantity is a number with an optional suffix, such as 500m, 4 or 16Gi.';
}

/** Suffix → power of ten, or of 1024 (k8s.io/apimachinery, resource.Quantity); n and u are metrics' only. */
const factors: Record<string, number> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};
const form = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)$/;

/** The sum of each resource over the nodes: whole numbers, or thousandths ("3500m"), e.g. memory in bytes. */
export function sumQuantities(parts: readonly Record<string, string>[]): Record<string, string> {
  const sums = new Map<string, number>();
  for (const [name, quantity] of parts.flatMap((part) => Object.entries(part))) {
    sums.set(name, (sums.get(name) ?? 0) + parseQuantity(quantity));
  }
  return Object.fromEntries([...sums].sort().map(([name, sum]) => [name, formatQuantity(sum)]));
}

function parseQuantity(text: string): number {
  const [, number = '', suffix = ''] = form.exec(text) ?? [];
  const factor = factors[suffix];
  const value = Number(number);
  if (number === '' || factor === undefined || Number.isNaN(value)) {
    throw new QuantityError(`${JSON.stringify(text)} is no quantity`);
  }
  return value * factor;
}

function formatQuantity(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : `${Math.round(value * 1000)}m`;
}
