export type { BuildLogEntry } from './build-log.ts';
export { BuildLogReader } from './build-log-reader.ts';
export { QueueUnreachableError } from './errors.ts';
export { type ImageJob, type ImageStep, type JobPriority, jobPriorities } from './image-job.ts';
export { ImageQueue, type ImageQueueListener, type QueuedJob } from './image-queue.ts';
export type { ImageResult } from './image-result.ts';
