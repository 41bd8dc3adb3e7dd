import { expect, test } from 'vitest';
import { rulesInOrder } from './node-feature-rules.ts';

const object = (name: string, ...rules: string[]) => ({
  metadata: { name },
  spec: { rules: rules.map((rule) => ({ name: rule })) },
});

test('rulesInOrder goes by the names of the objects, and by the list within one', () => {
  const objects = [object('b', 'b2', 'b1'), object('a-1', 'z'), object('Z', 'first')];
  expect(rulesInOrder(objects).map(({ name }) => name)).toEqual(['first', 'z', 'b2', 'b1']);
  expect(objects.map(({ metadata }) => metadata.name)).toEqual(['b', 'a-1', 'Z']);
});
