export { QueueUnreachableError } from './errors.ts';
export type { ImageJob, ImageResult, ImageStep } from './image-job.ts';
export { ImageQueue, type ImageQueueListener } from './image-queue.ts';
