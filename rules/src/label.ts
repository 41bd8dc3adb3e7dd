import { DNS_SUBDOMAIN, LABEL_NAME } from '@kmm-hub/api-types';

const NAME = new RegExp(`^${LABEL_NAME}$`);
const PREFIX = new RegExp(`^${DNS_SUBDOMAIN}$`);
const MAX_PREFIX = 253;

/** `[prefix/]name` as Kubernetes takes it for labels, annotations, taints and resources: a DNS subdomain and 63 characters. */
export function isLabelKey(key: string): boolean {
  const [name = '', prefix, ...more] = key.split('/').reverse();
  const fits = prefix === undefined || (prefix.length <= MAX_PREFIX && PREFIX.test(prefix));
  return NAME.test(name) && fits && more.length === 0;
}

/** Empty, or at most 63 characters that begin and end with a letter or digit. */
export function isLabelValue(value: string): boolean {
  return value === '' || NAME.test(value);
}
