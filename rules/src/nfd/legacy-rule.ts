import { quote } from './numbers.ts';

/** What the matchers of rules before NFD v0.15 are today (NFD v0.11 §5.6). */
const SUCCESSORS: ReadonlyMap<string, string> = new Map([
  ['pciId', 'feature pci.device with class, vendor or device'],
  ['usbId', 'feature usb.device with class, vendor, device or serial'],
  ['loadedKMod', 'feature kernel.loadedmodule with Exists for each module'],
  ['cpuId', 'feature cpu.cpuid with Exists for each flag'],
  ['kConfig', 'feature kernel.config with the option and its value'],
  ['nodename', 'feature system.name with nodename and InRegexp'],
]);

/**
 * What to write instead of a rule with `matchOn`, which current NFD takes for a rule that gives nothing. Its label was
 * `custom-<name>`, or the name itself where that held a slash.
 */
export function explainLegacyRule(matchOn: unknown): string {
  const matchers = Array.isArray(matchOn) ? matchOn : [];
  const names = new Set(matchers.flatMap((matcher) => (isObject(matcher) ? Object.keys(matcher) : [])));
  const advice = [...names].map((name) => {
    const successor = SUCCESSORS.get(name);
    return successor ? `for ${name} write ${successor}` : `${quote(name)} has never been a matcher`;
  });
  return ['matchOn is no longer read', ...advice].join('; ');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
