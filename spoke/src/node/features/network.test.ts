import { expect, test } from 'vitest';
import { networkSource } from './network.ts';
import { allTrue, passOver, type Tree } from './test/host-tree.ts';

const FOLDER = 'sys/class/net';
const nic = (total: string, used: string): Tree => ({
  [`${FOLDER}/ens1f0/device/sriov_totalvfs`]: `${total}\n`,
  [`${FOLDER}/ens1f0/device/sriov_numvfs`]: `${used}\n`,
});
const OTHERS = {
  [`${FOLDER}/ens1f0v0/device/vendor`]: '0x8086\n',
  [`${FOLDER}/lo/mtu`]: '65536\n',
  [`${FOLDER}/bonding_masters`]: '\n',
};

test.each<[string, Tree, string]>([
  ['G30 is capable with virtual functions it could have', nic('64', '0'), 'network-sriov.capable'],
  [
    'G31 is configured with virtual functions it has',
    { ...nic('64', '8'), ...OTHERS },
    'network-sriov.capable network-sriov.configured',
  ],
  ['G32 is not capable of zero virtual functions', nic('0', '0'), ''],
  ['G33 ignores only the attribute that is no number', nic('abc', '4'), 'network-sriov.configured'],
])('%s', async (_behaviour, tree, want) => {
  expect(await passOver(networkSource, tree)).toMatchObject({ labels: allTrue(want), failed: [] });
});

test('G31 tells physical from virtual interfaces by the device behind them', async () => {
  const { features } = await passOver(networkSource, { ...nic('64', '8'), ...OTHERS });
  expect(features.instances).toEqual({
    'network.device': {
      elements: [
        { attributes: { name: 'ens1f0', sriov_numvfs: '8', sriov_totalvfs: '64' } },
        { attributes: { name: 'ens1f0v0' } },
      ],
    },
    'network.virtual': { elements: [{ attributes: { mtu: '65536', name: 'lo' } }] },
  });
});

test('G34 fails without the folder', async () => {
  expect(await passOver(networkSource, {})).toMatchObject({ labels: {}, failed: ['network'] });
});
