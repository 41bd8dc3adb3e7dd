import { expect, test } from 'vitest';
import { nodeLease, nodeStatus } from './node-status.ts';

const base = { name: 'worker', nodeUid: 'f00d-cafe' };
const since = new Date('2026-01-01T00:00:00.000Z');
const now = new Date('2026-01-01T00:05:00.000Z');

test('nodeStatus reports the kernel and since when the node is ready', () => {
  const kernel = { release: '6.1.0-56-cloud-amd64', bootId: 'b00t' };
  const status = nodeStatus({ ...base, cpus: 2, memoryMiB: 512, kernel, kubeletVersion: 'v1.36.3', since, now });
  expect(status).toMatchObject({
    capacity: { cpu: '2', memory: '524288Ki' },
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: since.toISOString() }],
    nodeInfo: { kernelVersion: '6.1.0-56-cloud-amd64', bootID: 'b00t', kubeletVersion: 'v1.36.3' },
  });
});

test('nodeLease belongs to the Node and has microseconds', () => {
  const { metadata, spec } = nodeLease({ ...base, now });
  expect(metadata.ownerReferences).toEqual([{ apiVersion: 'v1', kind: 'Node', name: 'worker', uid: 'f00d-cafe' }]);
  expect(spec?.renewTime).toBe('2026-01-01T00:05:00.000000Z');
});
