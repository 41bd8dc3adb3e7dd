import { cpuSource } from './cpu/cpu.ts';
import type { FeatureSource } from './feature-source.ts';
import { kernelSource } from './kernel.ts';
import { memorySource } from './memory.ts';
import { networkSource } from './network.ts';
import { pciSource } from './pci.ts';
import { storageSource } from './storage.ts';
import { systemSource } from './system.ts';
import { usbSource } from './usb.ts';

/** All sources, in the order of their labels: a later one wins. */
export const featureSources: readonly FeatureSource[] = [
  cpuSource,
  kernelSource,
  memorySource,
  networkSource,
  pciSource,
  storageSource,
  systemSource,
  usbSource,
];
