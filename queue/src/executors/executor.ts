/** What one build is made from. Nothing of it is trusted: the Dockerfile comes from whoever may write the module. */
export type BuildRequest = {
  /** The text of the Dockerfile. There is no build context: COPY works between stages and images only. */
  dockerfile: string;
  buildArgs: Readonly<Record<string, string>>;
  /** Secret name → key → value; a RUN step reads /run/secrets/<name>/<key>, as upstream mounts them. */
  secrets: Readonly<Record<string, Readonly<Record<string, Buffer>>>>;
  /** Text of a `.dockerconfigjson` for pulling base images; undefined = as anybody. */
  registryAuth?: string | undefined;
  /** Registries (host with port) whose base images are pulled without TLS or its verification; loopback always is. */
  insecureHosts?: ((host: string) => boolean) | undefined;
  /** An empty folder for this build alone; the caller removes it. */
  workFolder: string;
  timeoutMs: number;
  /** Bound of what the steps may allocate; undefined = no bound. */
  memoryMiB?: number | undefined;
  /** `none`: the steps reach nothing, not even this machine. */
  network: 'none';
  /** Gets each line the build prints, cut at 4 KiB, without its line end. */
  onLog: (line: string) => void;
};

/** How `memoryMiB` was held: for all processes together, for each process alone, or not asked for. */
export type AppliedLimit = 'cgroup' | 'prlimit' | 'none';

export type BuildResult = {
  /** An OCI image layout holding the one image. */
  layoutFolder: string;
  /** The base images that were used: fully qualified reference → digest. */
  baseImages: Readonly<Record<string, string>>;
  memoryLimit: AppliedLimit;
};

/**
 * Builds images. Safe to call many times at once; killed with everything it started when the signal aborts (then the
 * signal's reason is thrown) or this process dies.
 */
export interface Executor {
  /** Throws the errors of errors.ts and MissingToolError. */
  build(request: BuildRequest, signal: AbortSignal): Promise<BuildResult>;
}
