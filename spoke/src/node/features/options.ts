/** What a person may set about discovery; names and meaning as in NFD's worker configuration. */
export type FeatureOptions = {
  /** The Node object's name: the one fact that is not in the node's files. */
  nodeName: string;
  /** A source that takes longer is reported as failed. */
  sourceTimeoutMs: number;
  /** Sets that are used for labels but left out of the NodeFeature, e.g. `kernel.config` (100 kB and more). */
  noPublishFeatures: readonly string[];
  /**
   * Repeats what upstream NFD 0.20 does wrong, for fleets whose rules rely on it: AMXFP8 read from the PKU bit, XSAVE and
   * OSXSAVE from SSE3's, no multithreading label when a CPU is offline, no labels for hybrid cores, `sev` capacity
   * taken from a line that starts with `sev_es`, no enabled modules without modules.builtin, no parts of a kernel version
   * with a `+`.
   */
  upstreamDefects: boolean;
  cpuid: {
    /** Flags that get no label; raw features keep them. Exact names, case counts. */
    attributeBlacklist: readonly string[];
    /** When not empty it alone decides. */
    attributeWhitelist: readonly string[];
    /** Takes `SSE4.1` and `SSE4.2` of old configurations for SSE4 and SSE42; upstream matches nothing. */
    aliasLegacyNames: boolean;
  };
  kernel: {
    /** Looked at before all other places; '' = none. Relative to the host root. */
    kconfigFile: string;
    configOpts: readonly string[];
  };
  pci: DeviceOptions;
  usb: DeviceOptions;
  storage: {
    /** Leaves zram, ram, nbd and dm devices out of the label; upstream counts them. */
    ignoreVirtualDevices: boolean;
  };
};

export type DeviceOptions = {
  /** Prefixes of the class in hex digits; '' passes everything, null nothing. */
  deviceClassWhitelist: readonly string[] | null;
  /** Fields in the label, in the source's own order; unknown ones are ignored, none known → the default. */
  deviceLabelFields: readonly string[];
};

const unlabelledCpuFlags =
  'AVX10 BMI1 BMI2 CLMUL CMOV CX16 ERMS F16C HTT LZCNT MMX MMXEXT NX POPCNT RDRAND RDSEED RDTSCP SGX SGXLC SSE SSE2 SSE3 SSE4 SSE42 SSSE3 TDX_GUEST';

/** Gives the label set of upstream NFD 0.20. */
export const featureDefaults: Omit<FeatureOptions, 'nodeName'> = {
  sourceTimeoutMs: 10_000,
  noPublishFeatures: [],
  upstreamDefects: false,
  cpuid: {
    attributeBlacklist: unlabelledCpuFlags.split(' '),
    attributeWhitelist: [],
    aliasLegacyNames: false,
  },
  kernel: { kconfigFile: '', configOpts: ['NO_HZ', 'NO_HZ_IDLE', 'NO_HZ_FULL', 'PREEMPT'] },
  pci: { deviceClassWhitelist: ['03', '0b40', '12'], deviceLabelFields: ['class', 'vendor'] },
  usb: { deviceClassWhitelist: ['0e', 'ef', 'fe', 'ff'], deviceLabelFields: ['class', 'vendor', 'device'] },
  storage: { ignoreVirtualDevices: false },
};
