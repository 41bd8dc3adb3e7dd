import type { ModuleImage } from '@kmm-hub/api-types';
import type { BuildLogEntry } from '@kmm-hub/queue/client';
import { expect, test } from 'vitest';
import { imageWith } from '../test-objects.fixture.ts';
import { followedText, isOver, lineOf, type Standing, standingOf } from './log-stream.ts';

const { signal } = new AbortController();
const entry = (kind: BuildLogEntry['kind'], text: string, second = 0): BuildLogEntry => ({
  id: `${Date.UTC(2026, 0, 1) + second * 1000}-0`,
  kind,
  text,
});
const line = entry('line', 'cc -c hello.c');
const end = entry('end', 'Failed: BuildFailed');

test.each<[string, ModuleImage | undefined, Standing]>([
  ['an image that is not there', undefined, 'gone'],
  ['one without a status', imageWith('a', 'k'), 'unsettled'],
  ['one that is built', imageWith('a', 'k', { phase: 'Building' }), 'unsettled'],
  ['a published one', imageWith('a', 'k', { phase: 'Published' }), 'published'],
  ['a failed one', imageWith('a', 'k', { phase: 'Failed' }), 'failed'],
  ['a missing one', imageWith('a', 'k', { phase: 'Missing' }), 'failed'],
  [
    'one that was published by an older recipe',
    { ...imageWith('a', 'k', { phase: 'Published' }), spec: imageWith('a', 'new').spec },
    'unsettled',
  ],
])('%s is known by its status', (_what, image, standing) => {
  expect(standingOf({ synced: true, image: () => image }, 'a')).toBe(standing);
});

test('an image that the hub may only not have seen yet is waited for', () => {
  expect(standingOf({ synced: false, image: () => undefined }, 'a')).toBe('unsettled');
});

test.each<[BuildLogEntry | undefined, Standing, boolean]>([
  [undefined, 'unsettled', false],
  [line, 'unsettled', false],
  [end, 'unsettled', false],
  [undefined, 'failed', true],
  [line, 'failed', false],
  [end, 'failed', true],
  [line, 'published', true],
  [line, 'gone', true],
])('behind %o of an image that is %s, over is %s', (last, standing, over) => {
  expect(isOver(last, standing)).toBe(over);
});

test.each<[string, Parameters<typeof lineOf>, string]>([
  ['a line is what the build printed', [line, false], 'cc -c hello.c\n'],
  ['a line with its time', [line, true], '2026-01-01T00:00:00.000Z cc -c hello.c\n'],
  ['a step always has its time', [entry('step', 'Building'), false], '== 2026-01-01T00:00:00.000Z Building\n'],
  ['a line stays one line and holds no escape', [entry('line', 'a\u001b[2Jb\nc'), false], 'ab c\n'],
  ['an id that is no time is shown as it is', [{ ...line, id: 'x-1' }, true], 'x-1 cc -c hello.c\n'],
])('%s', (_what, given, shown) => {
  expect(lineOf(...given)).toBe(shown);
});

type Scene = {
  read: BuildLogEntry[];
  /** What comes while it is followed; an empty part is a quiet time. */
  parts: BuildLogEntry[][];
  /** Before the first part, and before each later one. */
  standings: Standing[];
  shown: string[];
};
test.each<[string, Scene]>([
  [
    'ends with the end of the job',
    {
      read: [line],
      parts: [[entry('line', 'more')], [end], [line]],
      standings: ['unsettled'],
      shown: ['cc', 'more', '=='],
    },
  ],
  [
    'ends at once when the job is over',
    { read: [line, end], parts: [[line]], standings: ['failed'], shown: ['cc', '=='] },
  ],
  [
    'waits behind the end of an attempt while another one is to come',
    { read: [end], parts: [[], [line], [end]], standings: ['unsettled'], shown: ['==', 'cc', '=='] },
  ],
  [
    'ends in a quiet time once the image is published, whatever its worker said last',
    { read: [], parts: [[line], [], [line]], standings: ['unsettled', 'published'], shown: ['cc'] },
  ],
  [
    'goes on through a quiet time of a failed image that is tried again',
    { read: [line], parts: [[], [], [end]], standings: ['failed'], shown: ['cc', '=='] },
  ],
])('a followed log %s', async (_behaviour, { read, parts, standings, shown }) => {
  const left = [...standings];
  const standing = () => (left.length > 1 ? left.shift() : left[0]) as Standing;
  const logs = {
    async *follow() {
      yield* parts;
      throw new Error('it should have ended by now');
    },
  };
  const query = { name: 'a', follow: true, timestamps: false };
  const heard = await Array.fromAsync(followedText({ logs, entries: read, query, standing }, signal));
  expect(
    heard.map((text) =>
      text
        .slice(0, 4)
        .split(/[ \n]-?/, 1)[0]
        ?.trim(),
    ),
  ).toEqual(shown.map((text) => text.trim()));
});

test('a followed log goes on behind the last entry that was read', async () => {
  const asked: unknown[] = [];
  const logs = {
    async *follow(name: string, after: string | undefined) {
      asked.push([name, after]);
      yield [end];
    },
  };
  const query = { name: 'a', follow: true, timestamps: false };
  await Array.fromAsync(followedText({ logs, entries: [line], query, standing: () => 'unsettled' }, signal));
  expect(asked).toEqual([['a', line.id]]);
});
