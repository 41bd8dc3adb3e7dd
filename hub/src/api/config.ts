import { UsageError } from '@kmm-hub/api-types';
import { environmentFlag, integerFlag } from '@kmm-hub/kube';
import type { Option } from 'commander';
import type { CertificateFiles } from './certificate.ts';

/** As commander gives them. */
export type ApiFlags = {
  apiPort?: number;
  apiUrl?: string;
  apiCertificate?: string;
  apiKey?: string;
  apiCa?: string;
};

export type ApiConfig = {
  /** Undefined: one that is free. */
  port?: number;
  /** How users reach it, without a trailing slash; undefined: by an address of this machine. */
  url?: string;
  /** Undefined: a self-signed one, made at each start. */
  files?: CertificateFiles;
};

export function apiOptions(): Option[] {
  return [
    environmentFlag('--api-port <port>', 'HTTPS endpoint of kubectl-kmm; 0 = none; default: a free one').argParser(
      integerFlag(0, 65_535),
    ),
    environmentFlag('--api-url <url>', 'how users reach it; default: https://<address of this machine>:<port>'),
    environmentFlag('--api-certificate <file>', 'its certificate with intermediate ones, PEM; default: self-signed'),
    environmentFlag('--api-key <file>', 'key of that certificate, PEM'),
    environmentFlag('--api-ca <file>', 'authority of that certificate, PEM, told to users; default: what they trust'),
  ];
}

/** Undefined: no endpoint. @throws UsageError */
export function apiConfig({ apiPort, apiUrl, apiCertificate, apiKey, apiCa }: ApiFlags): ApiConfig | undefined {
  if (apiPort === 0) return undefined;
  const url = apiUrl === undefined ? undefined : readUrl(apiUrl);
  const files = readFiles({ certificate: apiCertificate, key: apiKey, ca: apiCa });
  return { ...(apiPort !== undefined && { port: apiPort }), ...(url && { url }), ...(files && { files }) };
}

function readUrl(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol === 'https:' && url.username === '' && url.search === '') return text.replace(/\/+$/, '');
  throw new UsageError(
    `--api-url ${text} is not used`,
    'Give it as https://HOST, with a port and a path if there are any.',
  );
}

function readFiles({ certificate, key, ca }: { [Part in keyof CertificateFiles]: string | undefined }) {
  if (certificate !== undefined && key !== undefined) return { certificate, key, ...(ca !== undefined && { ca }) };
  if (certificate === undefined && key === undefined && ca === undefined) return undefined;
  throw new UsageError(
    '--api-certificate and --api-key belong together',
    'Give both, or none of them and no --api-ca.',
  );
}
