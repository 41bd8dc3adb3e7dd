import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ANSWER_LIMIT_MS, RequestLife } from './request-life.ts';

class Response extends EventEmitter {
  destroyed = false;
  destroy() {
    this.destroyed = true;
    this.emit('close');
  }
}
let response: Response;
let stopping: AbortController;
let life: RequestLife;
beforeEach(() => {
  vi.useFakeTimers();
  response = new Response();
  stopping = new AbortController();
  life = new RequestLife(response as unknown as ServerResponse, stopping.signal);
});
afterEach(() => {
  vi.useRealTimers();
});
const seen = () => ({ aborted: life.signal.aborted, destroyed: response.destroyed });

test('a request that is answered is over', () => {
  response.emit('close');
  expect(seen()).toEqual({ aborted: true, destroyed: false });
  vi.advanceTimersByTime(ANSWER_LIMIT_MS);
  stopping.abort();
  expect(response.destroyed).toBe(false);
});

test('a client that reads too slowly is cut off', () => {
  vi.advanceTimersByTime(ANSWER_LIMIT_MS - 1);
  expect(seen()).toEqual({ aborted: false, destroyed: false });
  vi.advanceTimersByTime(1);
  expect(seen()).toEqual({ aborted: true, destroyed: true });
});

test('one that may take longer is cut off later', () => {
  life.extend(2 * ANSWER_LIMIT_MS);
  vi.advanceTimersByTime(2 * ANSWER_LIMIT_MS - 1);
  expect(response.destroyed).toBe(false);
  vi.advanceTimersByTime(1);
  expect(response.destroyed).toBe(true);
});

test('a server that stops ends its requests', () => {
  stopping.abort();
  expect(seen()).toEqual({ aborted: true, destroyed: true });
});

test('what is over is not given more time', () => {
  response.emit('close');
  life.extend(1_000);
  expect(vi.getTimerCount()).toBe(0);
});
