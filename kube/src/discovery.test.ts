import { expect, test } from 'vitest';
import { Discovery } from './discovery.ts';
import { NotFoundError } from './errors.ts';

const { signal } = new AbortController();
const pods = [
  { name: 'pods/log', kind: 'Pod', namespaced: true },
  { name: 'pods', kind: 'Pod', namespaced: true },
];

/** An API server whose lists may change; `asked` are the paths it was asked for. */
function server(lists: Record<string, typeof pods>) {
  const asked: string[] = [];
  const raw = async <R>(path: string) => {
    asked.push(path);
    const resources = lists[path];
    if (resources === undefined) throw new NotFoundError(`GET ${path}`, 404, {});
    return { resources } as R;
  };
  return { lists, asked, discovery: new Discovery({ raw }) };
}

test('finds where a kind is served, past its subresources, and asks once', async () => {
  const { asked, discovery } = server({ '/api/v1': pods });
  const want = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
  expect(await discovery.find({ apiVersion: 'v1', kind: 'Pod' }, signal)).toEqual(want);
  expect(await discovery.find({ apiVersion: 'v1', kind: 'Pod' }, signal)).toEqual(want);
  expect(asked).toEqual(['/api/v1']);
});

test('sees a kind as soon as its CRD is there', async () => {
  const { lists, discovery } = server({});
  const widget = { apiVersion: 'test.example/v1', kind: 'Widget' };
  expect(await discovery.find(widget, signal)).toBeUndefined();
  lists['/apis/test.example/v1'] = [{ name: 'widgets', kind: 'Widget', namespaced: false }];
  expect(await discovery.find(widget, signal)).toEqual({
    group: 'test.example',
    version: 'v1',
    kind: 'Widget',
    plural: 'widgets',
    namespaced: false,
  });
});
