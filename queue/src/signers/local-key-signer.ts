import { plainModule } from './module-compression.ts';
import { signDetached, verifyDetached } from './module-pkcs7.ts';
import { appendSignature, splitSignature, stripSignatures } from './module-signature.ts';
import type { Signer } from './signer.ts';
import { readCertificate, type SigningMaterial, signingPair } from './signing-pair.ts';

/** Signs with a key that is held in memory and never written anywhere. Throws SigningKeyError at once for an unusable pair. */
export function createLocalKeySigner(material: SigningMaterial): Signer {
  const pair = signingPair(material);
  return {
    async sign(module, signal) {
      const { content, recompress } = await plainModule(module);
      signal.throwIfAborted();
      const bare = stripSignatures(content);
      return recompress(appendSignature(bare, signDetached(bare, pair)));
    },
  };
}

/** True when the module carries a signature made with this certificate's key. Throws ModuleFormatError, SigningKeyError. */
export async function verifyModuleSignature(module: Buffer, certificate: Buffer): Promise<boolean> {
  const { content, pkcs7 } = splitSignature((await plainModule(module)).content);
  return pkcs7 !== undefined && verifyDetached(content, pkcs7, readCertificate(certificate));
}
