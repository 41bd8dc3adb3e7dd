import { open } from 'node:fs/promises';

const tailBytes = 8_192;
const tailLines = 12;

/** The end of a log, for an error's message: at most 12 lines out of the last 8 KiB; empty when there is nothing. */
export async function lastLines(logFile: string): Promise<string> {
  const file = await open(logFile, 'r');
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read({
      buffer: Buffer.alloc(tailBytes),
      position: Math.max(0, size - tailBytes),
    });
    return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').slice(-tailLines).join('\n');
  } finally {
    await file.close();
  }
}
