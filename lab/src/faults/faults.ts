import type { ServerResponse } from 'node:http';
import { Transform } from 'node:stream';

/** What a faulty network or a faulty API server does to one request. */
export type Fault =
  /** Answered by the proxy; the API server never sees it. `retryAfterSeconds` becomes the header. */
  | { kind: 'answer'; status: 409 | 410 | 422 | 429 | 500 | 503; retryAfterSeconds?: number }
  /** A watch that is accepted and whose first event says 410, as after a compaction of etcd. */
  | { kind: 'expire' }
  /** The connection is closed before the API server sees the request. */
  | { kind: 'cut' }
  /** The API server does what it is asked, and its answer is lost. */
  | { kind: 'lose' }
  /** The connection stays open and nothing comes, ever. */
  | { kind: 'stall' }
  | { kind: 'delay'; ms: number }
  /** Every event of a watch comes twice. */
  | { kind: 'duplicate' };

const REASONS: Record<number, string> = {
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

/** metav1.Status, as the API server would say it. */
function statusOf(code: number): object {
  const message = `a fault of the lab: ${REASONS[code]}`;
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: REASONS[code], message, code };
}

export function answerWith(
  { status, retryAfterSeconds }: Extract<Fault, { kind: 'answer' }>,
  response: ServerResponse,
): void {
  const wait = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  response.writeHead(status, { 'content-type': 'application/json', ...wait }).end(JSON.stringify(statusOf(status)));
}

export function expire(response: ServerResponse): void {
  const event = { type: 'ERROR', object: statusOf(410) };
  response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(event)}\n`);
}

/** Repeats every whole line at once. */
export function duplicateLines(): Transform {
  let rest = '';
  return new Transform({
    decodeStrings: false,
    transform(chunk: Buffer, _encoding, done) {
      const lines = (rest + chunk.toString('latin1')).split('\n'); // latin1 keeps every byte as it is
      rest = lines.pop() ?? '';
      done(null, Buffer.from(lines.map((line) => `${line}\n${line}\n`).join(''), 'latin1'));
    },
    flush(done) {
      done(null, Buffer.from(rest, 'latin1'));
    },
  });
}
