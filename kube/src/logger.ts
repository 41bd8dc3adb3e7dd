import { type Logger, pino } from 'pino';

export type LoggerOptions = { process: string; level?: string; pretty: boolean };

/** JSON lines on stdout; for a person at a terminal, one readable line each. */
export function createLogger({ process, level = 'info', pretty }: LoggerOptions): Logger {
  const options = { name: process, level, base: { process } };
  if (!pretty) return pino(options);
  return pino({ ...options, transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname,process,name' } } });
}
