import { type Logger, pino, type SerializedError, stdSerializers } from 'pino';

export type LoggerOptions = { process: string; level?: string; pretty: boolean };

/** JSON lines on stdout; for a person at a terminal, one readable line each. */
export function createLogger({ process, level = 'info', pretty }: LoggerOptions): Logger {
  const options = { name: process, level, base: { process }, serializers: { err: errorFields } };
  if (!pretty) return pino(options);
  return pino({ ...options, transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname,process,name' } } });
}

const ERROR_FIELDS = ['type', 'message', 'stack', 'code', 'reason', 'status', 'retry', 'remedy'];

/**
 * What is logged of an error. No other property: libraries hang on it what it was about, such as ioredis the command
 * AUTH with its password, and builds their last lines, which may show a secret.
 */
function errorFields(err: unknown): unknown {
  if (!(err instanceof Error)) return err; // a text stays one
  const { aggregateErrors, ...all } = stdSerializers.err(err) as SerializedError & { aggregateErrors?: Error[] };
  const fields = Object.fromEntries(Object.entries(all).filter(([name]) => ERROR_FIELDS.includes(name)));
  return aggregateErrors === undefined ? fields : { ...fields, errors: aggregateErrors.map(({ message }) => message) };
}
