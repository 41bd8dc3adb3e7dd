import { expect, test } from 'vitest';
import { declaredBuildArgs } from './build-args.ts';
import { readRows } from './golden/read-rows.ts';

type Case = { dockerfile: string; declared: string[] };

test.each(readRows<Case>('build-args'))('declaredBuildArgs $behaviour', ({ dockerfile, declared }) => {
  expect(declaredBuildArgs(dockerfile)).toEqual(declared);
});
