/** Signs kernel modules. */
export interface Signer {
  /** The module with its signature appended, in the compression it came in. Throws ModuleFormatError, SigningKeyError. */
  sign(module: Buffer, signal: AbortSignal): Promise<Buffer>;
}
