import type { ModuleConfig } from '@kmm-hub/api-types';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isForKernel, type ModuleAction, type ModulePlanInput, planModules } from './plan.ts';

const RELEASE = '6.1.0-53-amd64';
const BOOT = 'boot-2';
const kernelVersion = fc.constantFrom(RELEASE, '6.1.0-50-amd64');
const name = fc.constantFrom('a', 'b', 'c'); // few, so that spec, status and intents overlap
const entry = fc.record({
  name,
  image: fc.constantFrom('r@sha256:aa', 'r@sha256:bb'),
  kernelVersion,
  raw: fc.boolean(),
});
const bootId = fc.constantFrom(BOOT, 'boot-1');
const byName = { selector: (value: { name: string }) => value.name };

function moduleOf({
  name: module,
  image,
  kernelVersion: kernel,
  raw,
}: {
  name: string;
  image: string;
  kernelVersion: string;
  raw: boolean;
}) {
  const modprobe = raw ? { rawArgs: { load: [module], unload: [module] } } : { moduleName: `${module}-mod` };
  const config: ModuleConfig = { kernelVersion: kernel, containerImage: image, insecurePull: false, modprobe };
  return { namespace: 'ns', name: module, serviceAccountName: 'default', config };
}

const withBoot = fc.uniqueArray(
  fc.tuple(entry, bootId).map(([module, boot]) => ({ ...moduleOf(module), bootId: boot })),
  byName,
);
const input: fc.Arbitrary<ModulePlanInput> = fc.record({
  spec: fc.uniqueArray(entry.map(moduleOf), byName),
  status: withBoot,
  intents: withBoot,
  loaded: fc.uniqueArray(fc.constantFrom('a_mod', 'b_mod', 'c_mod', 'x')).map((names) => new Set(names)),
  bootId: fc.constant(BOOT),
  release: fc.constant(RELEASE),
});

/** The node and its agent: an intent before a load, no intent and no status entry after an unload. */
function carryOut(before: ModulePlanInput, { action, module }: ModuleAction): ModulePlanInput {
  const others = <T extends { name: string }>(entries: readonly T[]) =>
    entries.filter((other) => other.name !== module.name);
  const loaded = new Set(before.loaded);
  if (action === 'unload') loaded.delete(`${module.name}_mod`);
  const [status, intents] = [others(before.status), others(before.intents)];
  if (action !== 'load' || !('config' in module)) return { ...before, loaded, status, intents };
  const done = { ...module, bootId: BOOT };
  return {
    ...before,
    loaded: loaded.add(`${module.name}_mod`),
    status: [...status, done],
    intents: [...intents, done],
  };
}

test('a carried out plan leaves nothing to do and just the wanted modules', () => {
  const property = fc.property(input, (given) => {
    const plan = planModules(given);
    const after = plan.actions.reduce(carryOut, given);
    expect(planModules(after)).toEqual({ actions: [], held: plan.held });

    const runnable = given.spec.filter(({ config }) => isForKernel(config, RELEASE));
    for (const module of runnable) {
      expect(after.status).toContainEqual({ ...module, bootId: BOOT });
      if (module.config.modprobe.rawArgs === undefined) expect(after.loaded).toContain(`${module.name}_mod`);
    }
    const wanted = given.spec.map((module) => module.name);
    expect(after.status.filter((module) => !wanted.includes(module.name))).toEqual([]);
    expect(after.intents.filter((module) => !wanted.includes(module.name))).toEqual([]);
  });
  fc.assert(property, { numRuns: 2000 });
});

test('a module is never loaded over another configuration of it that the kernel still has', () => {
  const property = fc.property(input, (given) => {
    planModules(given).actions.reduce((node, action) => {
      const config = [...node.intents, ...node.status].find(
        (module) => module.name === action.module.name && module.bootId === BOOT,
      )?.config;
      const live = config !== undefined && node.loaded.has(`${action.module.name}_mod`);
      if (action.action === 'load' && live && isForKernel(config, RELEASE))
        expect(action.module.config).toEqual(config);
      return carryOut(node, action);
    }, given);
  });
  fc.assert(property, { numRuns: 2000 });
});
