/** The field manager of every write of the cluster agent, and the component of its Events. */
export const FIELD_MANAGER = 'kmm-spoke-cluster';

export const clusterDefaults = {
  /** A Module's status is summed up at most this often while its nodes report. */
  moduleStatusCoalesceMs: 250,
  /** The inventory is written at most this often. */
  inventoryCoalesceMs: 1000,
  /**
   * What only the API server can tell (who may load modules, its version) is asked for again after this long; also how soon
   * a permission that was granted, or an upgrade, is noticed.
   */
  answerLifetimeMs: 60_000,
  /** Pause between two looks at whether the first lists are in. */
  syncPollMs: 20,
};
