export { backoffMs, sleep } from './backoff.ts';
export { Cache, type CacheOptions, type Change } from './cache.ts';
export {
  type ClientOptions,
  type DeleteOptions,
  KubeClient,
  type ListOptions,
  type ObjectList,
  type ObjectRef,
  type PatchOptions,
} from './client.ts';
export { type ClientObserver, clientMetrics } from './client-metrics.ts';
export { environmentFlag, integerFlag, leaderElectFlag, parseFlags } from './command-line.ts';
export { type ConditionUpdate, conditionOf, setConditions } from './conditions.ts';
export { processEnvironment } from './config.ts';
export { type ConnectionOptions, loadConnection } from './connection.ts';
export { Controller, type ControllerOptions, type ReconcileResult } from './controller.ts';
export type { Connection, Credentials } from './credentials.ts';
export { Discovery } from './discovery.ts';
export { type Election, LeaseElection, noElection } from './election.ts';
export {
  AlreadyExistsError,
  ApiError,
  ConflictError,
  ConnectionConfigError,
  ForbiddenError,
  InvalidObjectError,
  LeadershipLostError,
  MalformedAnswerError,
  NotFoundError,
  ProxyConfigError,
  ResourceExpiredError,
  TooManyRequestsError,
  UnreachableError,
} from './errors.ts';
export { EventRecorder } from './event-recorder.ts';
export { startHealthServer } from './health-server.ts';
export {
  HUB_LEASE,
  type LeaderElectionOptions,
  type Leading,
  leaderElectionDefaults,
  runAsLeader,
  SPOKE_LEASE,
} from './leader-election.ts';
export { createLogger } from './logger.ts';
export { metricsRegistry, type ReconcileMetrics, reconcileMetrics } from './metrics.ts';
export { runProcess } from './process.ts';
export { queueMetrics } from './queue-metrics.ts';
export { Reflector, type ReflectorOptions } from './reflector.ts';
export type { WatchEvent } from './watch-stream.ts';
export { type Priority, WorkQueue } from './work-queue.ts';
