import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { SigningKeyError } from './errors.ts';

/** `privateKey` PEM, `certificate` PEM or DER: what upstream's Secrets hold. */
export type SigningMaterial = { privateKey: Buffer; certificate: Buffer };

export type SigningPair = { privateKey: KeyObject; certificate: X509Certificate };

/** Parses both and proves that they belong together. Throws SigningKeyError. */
export function signingPair({ privateKey: keyText, certificate: certificateBytes }: SigningMaterial): SigningPair {
  const certificate = readCertificate(certificateBytes);
  const privateKey = readPrivateKey(keyText);
  const type = privateKey.asymmetricKeyType;
  if (type !== 'rsa' && type !== 'ec')
    throw new SigningKeyError(`the kernel does not check signatures of ${type} keys`);
  if (!certificate.checkPrivateKey(privateKey))
    throw new SigningKeyError('the certificate is not the one of the private key');
  return { privateKey, certificate };
}

/** Throws SigningKeyError. */
export function readCertificate(bytes: Buffer): X509Certificate {
  try {
    return new X509Certificate(bytes);
  } catch (cause) {
    throw new SigningKeyError('the certificate is neither PEM nor DER of an X.509 certificate', { cause });
  }
}

function readPrivateKey(pem: Buffer): KeyObject {
  if (/ENCRYPTED/.test(pem.toString('latin1'))) throw new SigningKeyError('the private key is encrypted');
  try {
    return createPrivateKey({ key: pem, format: 'pem' });
  } catch (cause) {
    throw new SigningKeyError('the private key is not the PEM of a private key', { cause });
  }
}
