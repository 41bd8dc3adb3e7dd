import { Gauge, type Registry } from 'prom-client';

export type DroppedCount = { denied: number; invalid: number };

/** How many labels the node agents ask for in vain, as a metric: a gauge, since the same ones are dropped on every pass. */
export class DroppedLabels {
  readonly #byNode = new Map<string, DroppedCount>();

  constructor(registry: Registry) {
    const byNode = this.#byNode;
    new Gauge({
      name: 'kmm_hub_feature_labels_dropped',
      help: 'Labels in NodeFeatures that are not set on Nodes, by reason.',
      labelNames: ['reason'],
      registers: [registry],
      collect() {
        for (const reason of ['denied', 'invalid'] as const) {
          this.set(
            { reason },
            [...byNode.values()].reduce((sum, count) => sum + count[reason], 0),
          );
        }
      },
    });
  }

  set(node: string, count: DroppedCount): void {
    if (count.denied + count.invalid === 0) this.#byNode.delete(node);
    else this.#byNode.set(node, count);
  }
}
