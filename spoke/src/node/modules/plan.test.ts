import type { ModuleConfig, NodeModuleSpec } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { type ModulePlan, type ModulePlanInput, planModules } from './plan.ts';

const RELEASE = '6.1.0-53-amd64';
const [BOOT, EARLIER] = ['boot-2', 'boot-1'];
const key = { namespace: 'openshift-kmm', name: 'hello' };

function config(image: string, overrides: Partial<ModuleConfig> = {}): ModuleConfig {
  const modprobe = { moduleName: 'hello-mod', dirName: '/opt' };
  return { kernelVersion: RELEASE, containerImage: image, insecurePull: false, modprobe, ...overrides };
}

const [A, B] = [config('r/hello@sha256:aa'), config('r/hello@sha256:bb')];
const OLD_KERNEL = config('r/hello@sha256:aa', { kernelVersion: '6.1.0-50-amd64' });
const RAW = config('r/hello@sha256:aa', { modprobe: { rawArgs: { load: ['hello'], unload: ['-r', 'hello'] } } });
const wanted = (of: ModuleConfig): NodeModuleSpec => ({ ...key, serviceAccountName: 'default', config: of });
const reported = (of: ModuleConfig | undefined, bootId = BOOT) => ({
  ...key,
  serviceAccountName: 'default',
  ...(of && { config: of }),
  bootId,
});
const intent = (of: ModuleConfig, bootId = BOOT) => ({ ...key, config: of, bootId });

const NODE: ModulePlanInput = {
  spec: [],
  status: [],
  intents: [],
  bootId: BOOT,
  release: RELEASE,
  loaded: new Set(['hello_mod']),
};
const GONE = { loaded: new Set<string>() };
const load = (of: ModuleConfig, reason: string, resumes = false) => ({
  action: 'load',
  module: wanted(of),
  reason,
  resumes,
});
const unload = (of: ModuleConfig, reason: string) => ({ action: 'unload', module: key, config: of, reason });
const imageRepoSecret = { name: 'pull' };
const forget = { action: 'forget', module: key };

test.each<[string, Partial<ModulePlanInput>, unknown[]]>([
  ['does nothing when nothing is wanted', {}, []],
  ['loads what is new', { spec: [wanted(A)], ...GONE }, [load(A, 'New')]],
  ['loads what failed before', { spec: [wanted(A)], status: [reported(undefined)], ...GONE }, [load(A, 'New')]],
  ['does nothing when the status says what the spec says', { spec: [wanted(A)], status: [reported(A)] }, []],
  [
    'unloads, then loads, when the configuration changed',
    { spec: [wanted(B)], status: [reported(A)] },
    [unload(A, 'ConfigChanged'), load(B, 'ConfigChanged')],
  ],
  [
    'loads at once when the changed one has left the kernel',
    { spec: [wanted(B)], status: [reported(A)], ...GONE },
    [load(B, 'ConfigChanged')],
  ],
  ['loads again after a reboot', { spec: [wanted(A)], status: [reported(A, EARLIER)], ...GONE }, [load(A, 'Rebooted')]],
  [
    'loads at once after a reboot with another configuration',
    { spec: [wanted(B)], status: [reported(A, EARLIER)], ...GONE },
    [load(B, 'Rebooted')],
  ],
  [
    'loads at once after a reboot into another kernel',
    { spec: [wanted(A)], status: [reported(OLD_KERNEL, EARLIER)], ...GONE },
    [load(A, 'KernelChanged')],
  ],
  [
    'loads at once when the status is of another kernel in this boot',
    { spec: [wanted(A)], status: [reported(OLD_KERNEL)] },
    [load(A, 'KernelChanged')],
  ],
  ['unloads what is no longer wanted', { status: [reported(A)] }, [unload(A, 'Deselected')]],
  ['forgets what is no longer wanted and went with a reboot', { status: [reported(A, EARLIER)] }, [forget]],
  ['forgets what is no longer wanted and was never loaded', { status: [reported(undefined)], ...GONE }, [forget]],
  ['forgets what is no longer wanted and somebody unloaded', { status: [reported(A)], ...GONE }, [forget]],
  ['loads again what somebody unloaded', { spec: [wanted(A)], status: [reported(A)], ...GONE }, [load(A, 'Vanished')]],
  [
    'only reports what a process that died had loaded',
    { spec: [wanted(A)], intents: [intent(A)] },
    [load(A, 'Interrupted', true)],
  ],
  [
    'loads what a process that died had not loaded yet',
    { spec: [wanted(A)], intents: [intent(A)], ...GONE },
    [load(A, 'Interrupted')],
  ],
  [
    'believes the intent rather than an older status',
    { spec: [wanted(B)], status: [reported(A)], intents: [intent(B)] },
    [load(B, 'Interrupted', true)],
  ],
  [
    'unloads what the intent says when the spec moved on',
    { spec: [wanted(B)], intents: [intent(A)] },
    [unload(A, 'ConfigChanged'), load(B, 'ConfigChanged')],
  ],
  ['unloads by the intent what is no longer wanted', { intents: [intent(A)] }, [unload(A, 'Deselected')]],
  [
    'does not believe the intent of an earlier boot',
    { spec: [wanted(A)], intents: [intent(A, EARLIER)], ...GONE },
    [load(A, 'New')],
  ],
  ['forgets the intent of an earlier boot', { intents: [intent(A, EARLIER)] }, [forget]],
  ['does nothing with raw arguments that are reported', { spec: [wanted(RAW)], status: [reported(RAW)], ...GONE }, []],
  [
    'loads again with raw arguments, which name no module to look for',
    { spec: [wanted(RAW)], intents: [intent(RAW)] },
    [load(RAW, 'Interrupted')],
  ],
  [
    'W34 takes a kernel with and without the trailing plus for the same',
    { spec: [wanted(A)], release: `${RELEASE}+`, ...GONE },
    [load(A, 'New')],
  ],
])('%s', (_behaviour, given, actions) => {
  expect(planModules({ ...NODE, ...given })).toEqual({ actions, held: [] });
});

test.each<[string, Partial<ModulePlanInput>]>([
  ['waits with an image of another kernel', GONE],
  ['keeps what is loaded while the spec is of another kernel', { status: [reported(A)] }],
])('%s', (_behaviour, given) => {
  const want: ModulePlan = { actions: [], held: [key] };
  expect(planModules({ ...NODE, spec: [wanted(OLD_KERNEL)], ...given })).toEqual(want);
});

test.each<[string, Partial<ModulePlanInput>]>([
  ['its status', { status: [{ ...reported(A), imageRepoSecret }] }],
  ['its intent', { intents: [{ ...intent(A), imageRepoSecret }], status: [reported(A)] }],
])('an unload pulls with the secret of %s, whatever the spec names now', (_source, given) => {
  const gone = { ...unload(A, 'Deselected'), module: { ...key, imageRepoSecret } };
  expect(planModules({ ...NODE, ...given }).actions).toEqual([gone]);
  const spec = [{ ...wanted(B), imageRepoSecret: { name: 'other' } }];
  const [first] = planModules({ ...NODE, ...given, spec }).actions;
  expect(first).toEqual({ ...gone, reason: 'ConfigChanged' });
});

test('forgets first, then unloads what goes, then loads what comes', () => {
  const named = (name: string) => ({ ...wanted(config(`r/${name}`, { modprobe: { moduleName: name } })), name });
  const status = [
    { ...named('going'), bootId: BOOT },
    { ...named('gone'), bootId: EARLIER },
  ];
  const { actions } = planModules({ ...NODE, spec: [named('coming')], status, loaded: new Set(['going']) });
  expect(actions.map(({ action, module }) => `${action} ${module.name}`)).toEqual([
    'forget gone',
    'unload going',
    'load coming',
  ]);
});

test('tells modules of the same name in two namespaces apart', () => {
  const other = { ...reported(A), namespace: 'other' };
  const { actions } = planModules({ ...NODE, spec: [wanted(A)], status: [reported(A), other] });
  expect(actions).toEqual([
    { action: 'unload', module: { namespace: 'other', name: 'hello' }, config: A, reason: 'Deselected' },
  ]);
});
