const MIB = 1024 * 1024;

/** The room's defaults. Times in milliseconds, sizes in bytes. */
export const defaults = {
  /** Longest silence of a registry: until its headers, and between two pieces of a body. */
  timeoutMs: 30_000,
  /** Longest duration of one exchange with its body, e.g. a layer: ends a registry that sends drop by drop. */
  transferTimeoutMs: 30 * 60_000,
  /** Longest duration of reading an answer that is no blob: a manifest, a token, an error. */
  answerTimeoutMs: 60_000,
  /** How often a broken download of one blob goes on where it stopped. */
  maxResumes: 10,
  /** A piece of an upload where all at once was refused: as much as nginx lets pass by default. */
  uploadChunkBytes: MIB,
  /** The largest piece a registry may ask for (`OCI-Chunk-Min-Length`): one is held in memory. */
  maxUploadChunkBytes: 64 * MIB,
  /** Tries of one request, the first included. */
  attempts: 4,
  /** Half of the longest wait before the first repetition; it doubles each time. */
  retryDelayMs: 200,
  /** A registry that asks for a longer pause than this gets it from the job queue, not from a sleeping request. */
  maxRetryAfterMs: 5_000,
  maxRedirects: 5,
  /** Bound of the distribution spec's implementations for manifests; configs get the same. */
  maxManifestBytes: 4 * MIB,
  /** What an error or a token answer may hold. */
  maxAnswerBytes: 256 * 1024,
  extract: {
    /** Of all layers unpacked, selected or not: ends a decompression bomb. */
    maxImageBytes: 32 * 1024 * MIB,
    maxEntries: 2_000_000,
    /** Of what is selected; folders and links count as files. */
    maxFiles: 50_000,
    maxFileBytes: 512 * MIB,
    maxTotalBytes: 2048 * MIB,
  },
} as const;
