import { promisify } from 'node:util';
import { gunzip, gzip, zstdCompress, zstdDecompress } from 'node:zlib';
import { ModuleFormatError } from './errors.ts';

/** A module as the kernel sees it, and how to put it back into the form it came in. */
export type PlainModule = { content: Buffer; recompress(content: Buffer): Promise<Buffer> };

const MAX_MODULE_BYTES = 512 * 1024 * 1024;
const LIMIT = { maxOutputLength: MAX_MODULE_BYTES };
const GZIP_MAGIC = Buffer.from('1f8b', 'hex');
const ZSTD_MAGIC = Buffer.from('28b52ffd', 'hex');
const XZ_MAGIC = Buffer.from('fd377a585a00', 'hex');

/** Recognised by its first bytes, as kmod does. The signature lies inside of the compression. Throws ModuleFormatError. */
export async function plainModule(file: Buffer): Promise<PlainModule> {
  const startsWith = (magic: Buffer) => file.subarray(0, magic.length).equals(magic);
  if (startsWith(XZ_MAGIC))
    throw new ModuleFormatError('the module is compressed with xz, which cannot be signed here');
  try {
    if (startsWith(GZIP_MAGIC)) return { content: await promisify(gunzip)(file, LIMIT), recompress: promisify(gzip) };
    if (startsWith(ZSTD_MAGIC))
      return { content: await promisify(zstdDecompress)(file, LIMIT), recompress: promisify(zstdCompress) };
  } catch (cause) {
    throw new ModuleFormatError('the compressed module cannot be unpacked', { cause });
  }
  return { content: file, recompress: async (content) => content };
}
