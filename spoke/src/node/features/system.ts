import { type FeatureSource, present, type RawFeatures } from './feature-source.ts';
import type { HostRoot } from './host-root.ts';

const DMI =
  'bios_date bios_vendor bios_version board_asset_tag board_name board_vendor board_version chassis_asset_tag chassis_type chassis_vendor chassis_version product_family product_name product_sku product_version sys_vendor';
const OS_LABELS = ['ID', 'VERSION_ID', 'VERSION_ID.major', 'VERSION_ID.minor'];

/** UEFI's variable SecureBoot: four bytes of attributes, then 1 or 0 (UEFI specification, global variables). */
const SECURE_BOOT = 'sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';

/** `system.osrelease` (os-release(5)), `system.dmiid`, `system.name`; ours beside NFD's: `system.secureboot`. */
export const systemSource: FeatureSource = {
  name: 'system',
  async discover(host, { nodeName }) {
    return {
      attributes: {
        'system.name': { nodename: nodeName },
        ...(await osRelease(host)),
        ...(await dmi(host)),
        'system.secureboot': { enabled: await secureBoot(host) },
      },
    };
  },
  labels({ attributes = {} }) {
    const release = attributes['system.osrelease'] ?? {};
    return present(Object.fromEntries(OS_LABELS.map((field) => [`os_release.${field}`, release[field]])));
  },
};

async function osRelease(host: HostRoot): Promise<RawFeatures['attributes']> {
  const text = await host.readValue('etc/os-release');
  if (text === undefined) return {};
  const elements: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const [, key, value] = /^(\w+)=(.+)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) elements[key] = value.replace(/^["']+|["']+$/g, '');
  }
  const [, major, minor] = /^(\d+)(?:\.(\d+))?(?:\..*)?$/.exec(elements.VERSION_ID ?? '') ?? [];
  const parts = present({ 'VERSION_ID.major': major, 'VERSION_ID.minor': minor });
  return { 'system.osrelease': { ...elements, ...parts } };
}

/** A machine without UEFI has no such variable and no Secure Boot. */
async function secureBoot(host: HostRoot): Promise<'true' | 'false'> {
  if (!(await host.exists(SECURE_BOOT))) return 'false';
  return (await host.readBytes(SECURE_BOOT)).at(4) === 1 ? 'true' : 'false';
}

async function dmi(host: HostRoot): Promise<RawFeatures['attributes']> {
  const read = async (file: string) => [file, await host.readValue(`sys/devices/virtual/dmi/id/${file}`)];
  const elements = present(Object.fromEntries(await Promise.all(DMI.split(' ').map(read))));
  return Object.keys(elements).length > 0 ? { 'system.dmiid': elements } : {};
}
