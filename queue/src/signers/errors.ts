import { HubError } from '@kmm-hub/api-types';

/** The key or the certificate cannot be used, or they do not belong together. The message never holds key material. */
export class SigningKeyError extends HubError {
  override readonly name = 'SigningKeyError';
  readonly code = 'SigningKeyUnusable';
  readonly retry = 'never';
  readonly remedy =
    'Put an unencrypted PEM private key (RSA or ECDSA) under "key" and its X.509 certificate, PEM or DER, under "cert" of the Secrets.';
}

/** A file to sign is no kernel module as far as its signature and compression go. */
export class ModuleFormatError extends HubError {
  override readonly name = 'ModuleFormatError';
  readonly code = 'ModuleFormatUnsupported';
  readonly retry = 'never';
  readonly remedy = 'Ship the module uncompressed, or compressed with gzip or zstd, and without a damaged signature.';
}

/** An entry of filesToSign that no file of the image matches (upstream reports only the last one, W31). */
export class FileToSignMissingError extends HubError {
  override readonly name = 'FileToSignMissingError';
  readonly code = 'FileToSignMissing';
  readonly retry = 'never';
  readonly remedy = 'Correct filesToSign: absolute paths in the image, with the shell patterns *, ? and […] if wanted.';
  constructor(entries: readonly string[], options?: ErrorOptions) {
    super(`the image holds no file for ${entries.join(', ')}`, options);
  }
}
