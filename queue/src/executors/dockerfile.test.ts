import { expect, test } from 'vitest';
import { readDockerfile } from './dockerfile.ts';

const lines = (...text: string[]) => text.join('\n');
const images = (text: string, buildArgs: Record<string, string> = {}) => readDockerfile(text, buildArgs).baseImages;

test.each<[string, ...[text: string, buildArgs: Record<string, string>, want: string[]]]>([
  ['one FROM', 'FROM quay.io/a:1', {}, ['quay.io/a:1']],
  ['a short name', 'from busybox', {}, ['docker.io/library/busybox']],
  ['scratch', 'FROM scratch', {}, []],
  ['a platform flag', 'FROM --platform=linux/amd64 quay.io/a:1 AS x', {}, ['quay.io/a:1']],
  ['an argument with a default', lines('ARG B=quay.io/a:1', 'FROM $B'), {}, ['quay.io/a:1']],
  [
    'an argument that is given',
    lines('ARG DTK_AUTO', 'FROM ${DTK_AUTO} as builder'),
    { DTK_AUTO: 'quay.io/dtk:1' },
    ['quay.io/dtk:1'],
  ],
  ['an argument made of another', lines('ARG V=1', 'ARG B=quay.io/a:${V}', 'FROM ${B}'), { V: '2' }, ['quay.io/a:2']],
  ['a quoted default', lines('ARG B="quay.io/a:1"', 'FROM $B'), {}, ['quay.io/a:1']],
  ['a fallback', 'FROM ${NONE:-quay.io/a:1}', {}, ['quay.io/a:1']],
  ['a value if set', lines('ARG V', 'FROM quay.io/a${V:+-debug}:1'), { V: 'x' }, ['quay.io/a-debug:1']],
  ['a value if set, unset', 'FROM quay.io/a${V:+-debug}:1', { V: 'x' }, ['quay.io/a:1']],
  [
    'stages',
    lines('FROM quay.io/a:1 AS One', 'FROM one', 'COPY --from=one /a /a', 'COPY --from=0 /b /b'),
    {},
    ['quay.io/a:1'],
  ],
  ['a copy from an image', lines('FROM scratch', 'COPY --chown=0 --from=quay.io/b:1 /a /a'), {}, ['quay.io/b:1']],
  ['the same image twice', lines('FROM quay.io/a:1', 'FROM quay.io/a:1'), {}, ['quay.io/a:1']],
  [
    'continued lines and comments',
    lines('# FROM no', 'FROM \\', '  # between', '', ' quay.io/a:1 \\', ' AS x'),
    {},
    ['quay.io/a:1'],
  ],
  [
    'another escape character',
    lines('# escape=`', 'FROM `', 'quay.io/a:1', 'RUN echo C:\\', 'FROM quay.io/b:1'),
    {},
    ['quay.io/a:1', 'quay.io/b:1'],
  ],
])('the base images of %s', (_case, ...[text, buildArgs, want]) => {
  expect(images(text, buildArgs)).toEqual(want);
});

test('arguments after the first FROM do not count in FROM', () => {
  expect(() => images(lines('FROM scratch', 'ARG B', 'FROM $B'), { B: 'quay.io/a:1' })).toThrow(
    /argument may be missing/,
  );
});

test('all arguments that the file declares are known', () => {
  const text = lines('ARG DTK_AUTO', 'FROM $DTK_AUTO', 'ARG KERNEL_FULL_VERSION A=1 B="x y"');
  expect(readDockerfile(text, { DTK_AUTO: 'quay.io/dtk:1' }).declaredArgs).toEqual([
    'DTK_AUTO',
    'KERNEL_FULL_VERSION',
    'A',
    'B',
  ]);
});

test.each([
  ['nothing', ''],
  ['no FROM', 'RUN true'],
  ['a FROM without an image', lines('ARG NONE', 'FROM ${NONE}')],
  ['a local transport', 'FROM docker-archive:/etc/x.tar'],
  ['a folder of the worker', 'FROM dir:/var/lib/x'],
  ['an open continued line', 'FROM quay.io/a:1 \\'],
  ['a bind mount', lines('FROM scratch', 'RUN --mount=type=bind,source=/,target=/host ls /host')],
  ['a cache mount behind another flag', lines('FROM scratch', 'RUN --network=none --mount=type=cache,target=/c ls')],
  ['a bind mount in a continued keyword', lines('FROM scratch', 'RU\\', 'N --mount=target=/host ls')],
])('a Dockerfile with %s is refused', (_case, text) => {
  expect(() => readDockerfile(text, {})).toThrow(expect.objectContaining({ code: 'DockerfileRefused' }));
});

test('a mount flag of a program in RUN is not ours', () => {
  expect(images(lines('FROM quay.io/a:1', 'RUN --mount=type=tmpfs,target=/t tool --mount=type=bind'))).toEqual([
    'quay.io/a:1',
  ]);
});
