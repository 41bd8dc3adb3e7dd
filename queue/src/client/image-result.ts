import { explain, type HubError } from '@kmm-hub/api-types';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { MalformedResultError, WorkerFailedError } from './errors.ts';

/** What a ModuleImage's status may hold of a result. A worker cuts to these, and a result beyond them is none. */
export const resultLimits = { messageCharacters: 16_384, signedFiles: 4096, pathCharacters: 1024 } as const;

const Key = Type.String({ maxLength: 64 });
const Words = {
  /** A condition's reason. */
  reason: Type.String({ pattern: '^[A-Za-z][A-Za-z0-9]{0,127}$' }),
  message: Type.String({ maxLength: resultLimits.messageCharacters }),
};
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

const Published = Type.Object({
  outcome: Type.Literal('Published'),
  recipeKey: Key,
  digest: Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }),
  /** Made by this job; by an earlier job for this same ModuleImage, whose result was lost; or taken as it was. */
  origin: Type.Union([Type.Literal('Made'), Type.Literal('Recovered'), Type.Literal('Taken')]),
  /** True when buildah ran for it; false when it was only signed, and for what was taken. */
  built: Type.Boolean(),
  /** What went into it; undefined for an image that no worker of ours published. */
  contentKey: Type.Optional(Key),
  signedFiles: Type.Optional(
    Type.Array(Type.Object({ path: Type.String({ maxLength: resultLimits.pathCharacters }), sha256: Sha256 }), {
      maxItems: resultLimits.signedFiles,
    }),
  ),
});

const Failed = Type.Object({
  outcome: Type.Literal('Failed'),
  recipeKey: Type.Optional(Key),
  ...Words,
  retry: Type.Union([Type.Literal('backoff'), Type.Literal('never')]),
});

/**
 * How a job ended. Only these words travel; what a person should know beyond them is in the log of the job. `recipeKey` is
 * of the recipe that the worker worked by: the hub may have changed it meanwhile. Undefined: the worker never read one.
 * `Stale`: the ModuleImage is gone, or its ConfigMap is no longer the one of the recipe: the hub decides anew.
 */
const Result = Type.Union([
  Published,
  Type.Object({ outcome: Type.Literal('Missing'), recipeKey: Key, ...Words }),
  Failed,
  Type.Object({ outcome: Type.Literal('Stale') }),
]);
export type ImageResult = Static<typeof Result>;

const validator = Compile(Result);

/** What came back from Redis. Anybody who can write to Redis can send anything: what is no result becomes a failure. */
export function readResult(value: unknown): ImageResult {
  if (validator.Check(value)) return value;
  const [first] = validator.Errors(value);
  return failed(new MalformedResultError(first?.instancePath || '/'));
}

/** The result of a job whose worker broke instead of answering; `reason` is BullMQ's, or the text of its exception. */
export function brokenWorker(reason: string): ImageResult {
  return failed(new WorkerFailedError(reason.slice(0, 1024)));
}

function failed(error: HubError): ImageResult {
  return { outcome: 'Failed', reason: error.code, message: explain(error), retry: error.retry };
}
