/**
 * Whether the one resource version is later than the other. They are decimal numbers that grow within one resource
 * (KEP-5504 makes that a promise); what is none counts as newer, since then the order of arrival is all there is.
 */
export function isNewer(version: string, than: string): boolean {
  if (!/^\d+$/.test(version) || !/^\d+$/.test(than)) return true;
  if (version.length !== than.length) return version.length > than.length;
  return version > than;
}
