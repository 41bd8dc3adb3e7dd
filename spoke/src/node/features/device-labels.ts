import type { DeviceOptions } from './options.ts';

type Device = Readonly<Record<string, string>>;

/**
 * The part of a label that names a device, `0302_10de`, with the devices it stands for: those whose class starts with an
 * entry of the whitelist. Fields come in `known` order whatever order the options have; a missing one is empty.
 */
export function groupDevices(
  devices: readonly Device[],
  { deviceClassWhitelist, deviceLabelFields }: DeviceOptions,
  { known, fallback }: { known: readonly string[]; fallback: readonly string[] },
): Map<string, Device[]> {
  const prefixes = (deviceClassWhitelist ?? []).map((prefix) => String(prefix).toLowerCase());
  const wanted = known.filter((field) => deviceLabelFields.includes(field));
  const fields = wanted.length > 0 ? wanted : fallback;
  const passing = devices.filter((device) => prefixes.some((prefix) => device.class?.startsWith(prefix)));
  return Map.groupBy(passing, (device) => fields.map((field) => device[field] ?? '').join('_'));
}
