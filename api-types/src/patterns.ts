// Kubernetes' rules for names as expressions that mean the same in RE2 (CEL, patterns of schemas) and in JavaScript. None is anchored.

/** Name part of a label key, or a label value that is not empty; at most 63 characters. */
export const LABEL_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]';
/** Lower-case DNS label, such as the name of a namespace; at most 63 characters, which the expression does not count. */
export const DNS_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
/** Labels with dots between them; at most 253 characters, which the expression does not count. */
export const DNS_SUBDOMAIN = `${DNS_LABEL}([.]${DNS_LABEL})*`;
