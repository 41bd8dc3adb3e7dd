import { Readable } from 'node:stream';
import { moduleImage } from '@kmm-hub/api-types';
import type { BuildLogReader } from '@kmm-hub/queue/client';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import type { Access } from './access.ts';
import { NoLogError, type ResourceRight } from './errors.ts';
import { Followers } from './followers.ts';
import { followedText, type ImageSource, isOver, type LogQuery, lineOf, standingOf } from './log-stream.ts';

export type LogRouteDeps = {
  access: Access;
  logs: Pick<BuildLogReader, 'read' | 'follow'>;
  images: ImageSource;
  log: Logger;
};

/** Longer than any build may take by default (30 min); then whoever follows asks again. */
export const FOLLOW_LIMIT_MS = 60 * 60_000;
/** For the last words to arrive behind that. */
const GRACE_MS = 30_000;

const schema = {
  params: {
    type: 'object',
    properties: { name: { type: 'string', pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$', maxLength: 253 } },
  },
  querystring: {
    type: 'object',
    properties: {
      follow: { type: 'boolean', default: false },
      tail: { type: 'integer', minimum: 1, maximum: 2_000 },
      timestamps: { type: 'boolean', default: false },
    },
    additionalProperties: false,
  },
} as const;

type Query = Omit<LogQuery, 'name'>;

/**
 * GET /logs/moduleimages/NAME: the build log of a ModuleImage as plain text, for who may `get moduleimages/log` of that
 * name. Query: follow, timestamps (booleans), tail (entries).
 */
export function addLogRoutes(app: FastifyInstance, { access, logs, images, log }: LogRouteDeps): void {
  const followers = new Followers();
  app.get<{ Params: { name: string }; Querystring: Query }>(
    '/logs/moduleimages/:name',
    { schema },
    async ({ params: { name }, query: given, user, life }, reply) => {
      await access.demand(user, logRight(name), life.signal);
      const query = { ...given, name };
      const entries = await logs.read(name, query.tail);
      const standing = () => standingOf(images, name);
      if (entries.length === 0 && !(query.follow && !isOver(undefined, standing()))) throw new NoLogError(name);
      log.info({ user: user.username, image: name, follow: query.follow }, 'build log read');
      if (!query.follow) return sendText(reply, entries.map((entry) => lineOf(entry, query.timestamps)).join(''));
      life.signal.addEventListener('abort', followers.enter(user.username), { once: true });
      life.extend(FOLLOW_LIMIT_MS + GRACE_MS);
      const ending = AbortSignal.timeout(FOLLOW_LIMIT_MS);
      const text = followedText({ logs, entries, query, standing }, AbortSignal.any([life.signal, ending]));
      return sendText(reply, Readable.from(endingWords(text, ending)));
    },
  );
}

/** `moduleimages/log`, as `pods/log` is the right to a container's log. */
function logRight(name: string): ResourceRight {
  return { verb: 'get', group: moduleImage.group, resource: moduleImage.plural, subresource: 'log', name };
}

function sendText(reply: FastifyReply, text: string | Readable): FastifyReply {
  return reply.type('text/plain; charset=utf-8').send(text);
}

async function* endingWords(text: AsyncGenerator<string>, ending: AbortSignal): AsyncGenerator<string> {
  yield* text;
  if (ending.aborted) yield `== the log goes on; it is followed for ${FOLLOW_LIMIT_MS / 60_000} minutes at a time\n`;
}
