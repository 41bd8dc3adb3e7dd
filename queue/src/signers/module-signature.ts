import { ModuleFormatError } from './errors.ts';

/** What a signed module is made of: `content`, then the PKCS#7 message, then the trailer that says so. */
export type SignedParts = { content: Buffer; pkcs7: Buffer | undefined };

const MAGIC = Buffer.from('~Module signature appended~\n');
/** `struct module_signature` of linux/module_signature.h: seven bytes, three of them types, padding, length as be32. */
const STRUCT_BYTES = 12;
const ID_TYPE_OFFSET = 2;
const LENGTH_OFFSET = 8;
const PKEY_ID_PKCS7 = 2;

/** Throws ModuleFormatError when the trailer announces more than there is. */
export function splitSignature(module: Buffer): SignedParts {
  if (!module.subarray(-MAGIC.length).equals(MAGIC)) return { content: module, pkcs7: undefined };
  const structAt = module.length - MAGIC.length - STRUCT_BYTES;
  const length = structAt < 0 ? 0 : module.readUInt32BE(structAt + LENGTH_OFFSET);
  const signatureAt = structAt - length;
  if (structAt < 0 || signatureAt < 0) throw new ModuleFormatError('the module ends in a damaged signature');
  return { content: module.subarray(0, signatureAt), pkcs7: module.subarray(signatureAt, structAt) };
}

/** The module without any signature: signing twice leaves one, as modinfo and `kmodsign` expect. */
export function stripSignatures(module: Buffer): Buffer {
  for (let parts = splitSignature(module); ; parts = splitSignature(parts.content)) {
    if (parts.pkcs7 === undefined) return parts.content;
  }
}

/** As scripts/sign-file of the kernel appends it. */
export function appendSignature(content: Buffer, pkcs7: Buffer): Buffer {
  const struct = Buffer.alloc(STRUCT_BYTES);
  struct.writeUInt8(PKEY_ID_PKCS7, ID_TYPE_OFFSET);
  struct.writeUInt32BE(pkcs7.length, LENGTH_OFFSET);
  return Buffer.concat([content, pkcs7, struct, MAGIC]);
}
