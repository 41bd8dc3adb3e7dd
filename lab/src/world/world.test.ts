import { expect, test } from 'vitest';
import type { ControlPlane } from '../servers/control-plane.ts';
import type { WorldNode } from './spoke-world.ts';
import { type NodePlan, World } from './world.ts';

const node = (name: string, series: string): NodePlan => ({ name, series, secureBoot: false, cpus: 2 });
const plan = [
  { name: 'a', nodes: [node('a1', '6.1'), node('a2', '6.12')] },
  { name: 'b', nodes: [node('b1', '6.1')] },
];
const plane = (name: string) => ({ name }) as ControlPlane;
const started = (name: string) => ({ node: { name } }) as WorldNode;

test('spokes and nodes stand in the order of the plan, whichever was ready first', () => {
  const world = new World(plan);
  for (const name of ['b', 'a']) world.addSpoke(plane(name));
  for (const name of ['b1', 'a2', 'a1']) world.addNode(started(name));
  expect(world.spokes.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(world.nodes.map(({ plan, spoke }) => [plan.name, spoke.name])).toEqual([
    ['a1', 'a'],
    ['a2', 'a'],
    ['b1', 'b'],
  ]);
});

test('what does not run yet is left out of the lists, and asking for it by name says so', () => {
  const world = new World(plan);
  expect([world.spokes, world.nodes]).toEqual([[], []]);
  expect(() => world.spoke('a')).toThrow('a is not started yet');
  expect(() => world.node('a1')).toThrow('a1 is not started yet');
  expect(() => world.kernel('6.1')).toThrow('6.1 is not started yet');
});

test('each series of the plan is there once', () => {
  expect(new World(plan).series).toEqual(['6.1', '6.12']);
});
