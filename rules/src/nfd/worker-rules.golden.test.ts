import { expect, test } from 'vitest';
import { readRows } from '../golden/read-rows.ts';
import { evaluateRules } from './evaluate-rules.ts';
import type { FeatureRule } from './feature-rule.ts';
import { parseWorkerRules, STATIC_WORKER_RULES } from './worker-rules.ts';

type Case = { document: unknown; rules?: FeatureRule[]; error?: string };

test.each(readRows<Case>('worker-rules'))('parseWorkerRules $behaviour', ({ document, rules, error }) => {
  const parsed = parseWorkerRules(document);
  const outcome = parsed.ok ? { rules: parsed.value } : { error: `${parsed.error.code}: ${parsed.error.message}` };
  expect(outcome).toStrictEqual(error === undefined ? { rules } : { error });
});

test('the static rules of a worker tell devices and drivers for RDMA (G121)', () => {
  const { labels } = evaluateRules(STATIC_WORKER_RULES, {
    flags: { 'kernel.loadedmodule': { elements: { ib_uverbs: {}, rdma_ucm: {} } } },
    instances: { 'pci.device': { elements: [{ attributes: { vendor: '15b3' } }] } },
  });
  expect(labels).toEqual({ 'rdma.capable': 'true', 'rdma.available': 'true' });
});

test('the static rules of a worker give nothing without RDMA', () => {
  const { labels, errors } = evaluateRules(STATIC_WORKER_RULES, {
    flags: { 'kernel.loadedmodule': { elements: { ib_uverbs: {} } } },
    instances: { 'pci.device': { elements: [{ attributes: { vendor: '8086' } }] } },
  });
  expect({ labels, errors }).toEqual({ labels: {}, errors: [] });
});
