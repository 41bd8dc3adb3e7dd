import { expect, test } from 'vitest';
import { appliedWorkName, hubHash } from './hub-identity.ts';

test('an AppliedManifestWork is named after the sha256 of the hub URL and the work', () => {
  const hash = '6c5003f4dd1691967bd3047645092380ef15affc718a40bf6cc43496f96e552a'; // sha256sum's answer
  expect(appliedWorkName(hubHash('https://127.0.0.1:6443'), 'w')).toBe(`${hash}-w`);
});
