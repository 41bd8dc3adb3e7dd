import { expect, test } from 'vitest';
import { automaticBuildArgs, mergeBuildArgs, usesToolkit } from './build-args.ts';
import { readRows } from './golden/read-rows.ts';
import { type RawKernelVersion, trimKernelVersion } from './kernel-version.ts';

type BuildArgs = { name: string; value: string }[];
type Case = { kernel: RawKernelVersion; dockerfile: string; user?: BuildArgs; args: BuildArgs };

test.each(readRows<Case>('automatic-build-args'))('a build $behaviour', ({ kernel, dockerfile, user = [], args }) => {
  const automatic = automaticBuildArgs({
    kernel: trimKernelVersion(kernel),
    moduleName: 'kmod',
    moduleNamespace: 'spoke-ns',
    ...(usesToolkit(dockerfile) && { toolkitImage: 'r/toolkit:1' }),
  });
  expect(mergeBuildArgs(user, automatic)).toEqual(args);
});
