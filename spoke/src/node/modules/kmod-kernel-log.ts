import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { HostRoot } from '../features/host-root.ts';
import { normaliseModuleName } from './loaded-modules.ts';

export const kernelLogDefaults = {
  /** Lines that go into an error. */
  maxLines: 5,
  /** A record of /dev/kmsg is never larger. */
  recordBytes: 8192,
  /** A log that grows faster than we read it must not hold us. */
  maxRecords: 20_000,
  /** The records' clock is not kept in step with ours: it drifts by up to this part of the uptime, and is a second coarse. */
  drift: 100e-6,
  slackUs: 1_000_000,
};

/** The kernel gives the reason of a refusal here, often without the module's name. */
const ABOUT_LOADING = /signature|PKCS#7|Lockdown:.*module|Loading of .* is rejected|module verification/i;

/**
 * The last lines that the kernel logged about these modules, or about refusing a signature.
 * @param sinceUs microseconds since boot; records that are surely older do not count
 * @returns undefined when there is no log, or it may not be read: then modprobe's own words have to do
 */
export async function kernelWordsAbout(
  host: HostRoot,
  names: readonly string[],
  sinceUs: number,
): Promise<string[] | undefined> {
  const patterns = names.map((name) => new RegExp(`\\b${normaliseModuleName(name)}\\b`));
  const isAbout = (text: string) =>
    ABOUT_LOADING.test(text) || patterns.some((pattern) => pattern.test(normaliseModuleName(text)));
  const { drift, slackUs, maxLines } = kernelLogDefaults;
  const oldestUs = sinceUs * (1 - drift) - slackUs;
  const records = await readRecords(host);
  if (records === undefined) return undefined;
  const lines = records.filter(({ atUs, text }) => atUs >= oldestUs && isAbout(text)).map(({ text }) => text);
  return [...new Set(lines)].slice(-maxLines);
}

type LogRecord = { atUs: number; text: string };

async function readRecords(host: HostRoot): Promise<LogRecord[] | undefined> {
  try {
    const handle = await open(await host.locate('dev/kmsg'), constants.O_RDONLY | constants.O_NONBLOCK);
    await using _closing = handle;
    return parseRecords(await readAll(handle));
  } catch (err) {
    if (['ENOENT', 'EACCES', 'EPERM'].includes(codeOf(err))) return undefined;
    throw err;
  }
}

/** The device gives one record a read, EAGAIN at the end, and EPIPE when records were overwritten meanwhile. */
async function readAll(handle: FileHandle): Promise<string> {
  const buffer = Buffer.alloc(kernelLogDefaults.recordBytes);
  let text = '';
  for (let records = 0; records < kernelLogDefaults.maxRecords; records += 1) {
    try {
      const { bytesRead } = await handle.read(buffer, { position: null });
      if (bytesRead === 0) break;
      text += buffer.toString('utf8', 0, bytesRead);
    } catch (err) {
      if (codeOf(err) === 'EPIPE') continue;
      if (codeOf(err) === 'EAGAIN') break;
      throw err;
    }
  }
  return text;
}

/** "4,1234,5678901,-;hello: Unknown symbol foo (err -2)"; lines with a blank in front belong to the record above. */
function parseRecords(text: string): LogRecord[] {
  return text.split('\n').flatMap((line) => {
    const [, at, words = ''] = /^\d+,\d+,(\d+),[^;]*;(.*)$/.exec(line) ?? [];
    return at === undefined ? [] : [{ atUs: Number(at), text: words }];
  });
}

const codeOf = (err: unknown) => (err instanceof Error && 'code' in err ? String(err.code) : '');
