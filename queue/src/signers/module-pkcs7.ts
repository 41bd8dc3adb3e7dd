import { createSign, createVerify, type X509Certificate } from 'node:crypto';
import { fromBER, OctetString, type Sequence } from 'asn1js';
import {
  AlgorithmIdentifier,
  Certificate,
  ContentInfo,
  EncapsulatedContentInfo,
  IssuerAndSerialNumber,
  SignedData,
  SignerInfo,
} from 'pkijs';
import type { SigningPair } from './signing-pair.ts';

const OID = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  sha256: '2.16.840.1.101.3.4.2.1',
  rsa: '1.2.840.113549.1.1.1',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
};
const DER_NULL = Uint8Array.from([5, 0]);

/**
 * A PKCS#7 message over `content` byte for byte as scripts/sign-file makes it: detached, SHA-256, no signed attributes, no
 * certificates, the signer named by issuer and serial number.
 */
export function signDetached(content: Buffer, { privateKey, certificate }: SigningPair): Buffer {
  const signature = createSign('sha256').update(content).sign(privateKey);
  const digestAlgorithm = new AlgorithmIdentifier({ algorithmId: OID.sha256 });
  const signatureAlgorithm =
    privateKey.asymmetricKeyType === 'rsa'
      ? new AlgorithmIdentifier({ algorithmId: OID.rsa, algorithmParams: fromBER(DER_NULL).result })
      : new AlgorithmIdentifier({ algorithmId: OID.ecdsaWithSha256 });
  const signer = new SignerInfo({
    version: 1,
    sid: signerOf(certificate),
    digestAlgorithm,
    signatureAlgorithm,
    signature: new OctetString({ valueHex: signature }),
  });
  const signed = new SignedData({
    version: 1,
    digestAlgorithms: [digestAlgorithm],
    encapContentInfo: new EncapsulatedContentInfo({ eContentType: OID.data }),
    signerInfos: [signer],
  });
  const message = new ContentInfo({ contentType: OID.signedData, content: signed.toSchema(true) });
  return Buffer.from(message.toSchema().toBER());
}

/** True when the message names this certificate's owner and the signature is over `content`. False for any other message. */
export function verifyDetached(content: Buffer, pkcs7: Buffer, certificate: X509Certificate): boolean {
  const signer = readSigner(pkcs7);
  if (signer === undefined || !sameSigner(signer.sid, signerOf(certificate))) return false;
  const signature = Buffer.from(signer.signature.valueBlock.valueHexView);
  return createVerify('sha256').update(content).verify(certificate.publicKey, signature);
}

function signerOf(certificate: X509Certificate): IssuerAndSerialNumber {
  const { issuer, serialNumber } = new Certificate({ schema: fromBER(certificate.raw).result as Sequence });
  return new IssuerAndSerialNumber({ issuer, serialNumber });
}

function readSigner(pkcs7: Buffer): SignerInfo | undefined {
  try {
    const message = new ContentInfo({ schema: fromBER(pkcs7).result });
    const [signer, ...others] = new SignedData({ schema: message.content }).signerInfos;
    return others.length === 0 && signer?.digestAlgorithm.algorithmId === OID.sha256 ? signer : undefined;
  } catch {
    return undefined; // not a message this room could have made: not verified
  }
}

function sameSigner(one: unknown, other: IssuerAndSerialNumber): boolean {
  if (!(one instanceof IssuerAndSerialNumber)) return false;
  return Buffer.from(one.toSchema().toBER()).equals(Buffer.from(other.toSchema().toBER()));
}
