import { expect, test } from 'vitest';
import { parseCpuInfo } from './cpuinfo.ts';
import { hwcapFlags } from './hwcap.ts';
import { x86Flags } from './x86-flags.ts';
import { x86Table } from './x86-table.ts';

const FIXED = { upstreamDefects: false };

function cpu(flags: string, { vendor = 'GenuineIntel', family = 6, model = 85, siblings = 1, cores = 1 } = {}) {
  return parseCpuInfo(
    `processor\t: 0\nvendor_id\t: ${vendor}\ncpu family\t: ${family}\nmodel\t\t: ${model}\nsiblings\t: ${siblings}\ncpu cores\t: ${cores}\nflags\t\t: ${flags}\n`,
  );
}

// An AMD Turin guest under KVM, where upstream, executing CPUID, has 69 names and V1 to V4.
const TURIN =
  'fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ht syscall nx mmxext fxsr_opt pdpe1gb rdtscp lm constant_tsc rep_good nopl xtopology nonstop_tsc cpuid extd_apicid tsc_known_freq pni pclmulqdq ssse3 fma cx16 pcid sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave avx f16c rdrand hypervisor lahf_lm cmp_legacy cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw topoext perfctr_core ssbd perfmon_v2 ibrs ibpb stibp ibrs_enhanced vmmcall fsgsbase tsc_adjust bmi1 avx2 smep bmi2 erms invpcid avx512f avx512dq adx smap avx512ifma clflushopt clwb avx512cd sha_ni avx512bw avx512vl xsaveopt xsavec xgetbv1 xsaves avx_vnni avx512_bf16 clzero xsaveerptr wbnoinvd arat avx512vbmi umip pku ospke avx512_vbmi2 gfni vaes vpclmulqdq avx512_vnni avx512_bitalg avx512_vpopcntdq rdpid movdiri movdir64b fsrm avx512_vp2intersect flush_l1d';

const TURIN_NAMES =
  'ADX AESNI AVX AVX2 AVX512BF16 AVX512BITALG AVX512BW AVX512CD AVX512DQ AVX512F AVX512IFMA AVX512VBMI AVX512VBMI2 AVX512VL AVX512VNNI AVX512VP2INTERSECT AVX512VPOPCNTDQ AVXVNNI BMI1 BMI2 CLMUL CLZERO CMOV CMPXCHG8 CX16 ERMS F16C FLUSH_L1D FMA3 FSRM FXSR FXSROPT GFNI HYPERVISOR IBPB IBRS LAHF LZCNT MMX MMXEXT MOVBE MOVDIR64B MOVDIRI NX OSXSAVE POPCNT RDRAND RDTSCP SHA SPEC_CTRL_SSBD SSE SSE2 SSE3 SSE4 SSE42 SSE4A SSSE3 STIBP SYSCALL SYSEE TOPEXT TSA_L1_NO TSA_SQ_NO VAES VPCLMULQDQ WBNOINVD X86_64_V1 X86_64_V2 X86_64_V3 X86_64_V4 X87 XGETBV1 XSAVE XSAVEC XSAVEOPT XSAVES';

test('names what the kernel shows of a real CPU', () => {
  const names = x86Flags(cpu(TURIN, { vendor: 'AuthenticAMD', family: 26, model: 2, siblings: 2, cores: 2 }), FIXED);
  expect(names).toEqual(TURIN_NAMES.split(' '));
});

test('has a row for each of the 206 names and the four counters', () => {
  const entries = x86Table.filter(({ gate }) => gate !== 'strict').flatMap(({ entries: text }) => text.split(' '));
  expect(entries.filter((entry) => !/^[A-Z0-9_]+@\d{1,2}=(-|[a-z0-9_]+~?)$/.test(entry))).toEqual([]);
  const computed = ['AVXSLOW', 'HTT', 'TSA_L1_NO', 'TSA_SQ_NO', 'TBM'];
  const names = new Set([...entries.map((entry) => entry.split('@')[0]), ...computed]);
  expect(names.size).toBe(210);
});

const BASE = 'syscall cmov cx8 fpu fxsr mmx sse sse2';
const V2 = `${BASE} cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3`;
const V3 = `${V2} avx avx2 bmi1 bmi2 f16c fma abm movbe xsave`;
const V4 = `${V3} avx512f avx512bw avx512cd avx512dq avx512vl`;

test.each([
  ['nothing', 'fpu', []],
  ['no level without system calls', BASE.replace('syscall ', ''), []],
  ['V1', BASE, ['X86_64_V1']],
  ['V2', V2, ['X86_64_V1', 'X86_64_V2']],
  ['V3', V3, ['X86_64_V1', 'X86_64_V2', 'X86_64_V3']],
  ['V2 where one flag of V3 is missing', V4.replace(' movbe', ''), ['X86_64_V1', 'X86_64_V2']],
  ['V4', V4, ['X86_64_V1', 'X86_64_V2', 'X86_64_V3', 'X86_64_V4']],
])('finds level %s', (_level, flags, want) => {
  expect(x86Flags(cpu(flags), FIXED).filter((name) => name.startsWith('X86_64_'))).toEqual(want);
});

const AMD = { vendor: 'AuthenticAMD', family: 25, model: 1 };

test.each<[string, Parameters<typeof cpu>[1], string, string[]]>([
  ['AVX2 without AVX is nothing', {}, 'avx2', []],
  ['BMI2 without BMI1 is nothing', {}, 'bmi2', []],
  ['ibrs of Intel sets no name', {}, 'ibrs', []],
  ['ibrs of AMD does', AMD, 'ibrs', ['IBRS']],
  ['ibrs of Hygon does', { ...AMD, vendor: 'HygonGenuine' }, 'ibrs', ['IBRS']],
  ['nested paging counts only with SVM', AMD, 'npt', []],
  ['memory encryption is AMD only', {}, 'sme sev', []],
  ['threads need more siblings than cores', { siblings: 4, cores: 4 }, 'ht', []],
  ['threads show in the siblings', { siblings: 8, cores: 4 }, 'ht', ['HTT']],
  ['AVX is slow before Haswell', { model: 58 }, 'avx', ['AVX', 'AVXSLOW']],
  ['AVX is slow before Zen 2', { ...AMD, family: 23, model: 1 }, 'avx', ['AVX', 'AVXSLOW', 'TSA_L1_NO', 'TSA_SQ_NO']],
  ['tbm is no name', AMD, 'tbm', []],
  ['sse gives FXSROPT too, as the library reads it', {}, 'sse', ['FXSROPT', 'SSE']],
])('%s', (...[, identity, flags, want]) => {
  expect(x86Flags(cpu(flags, identity), FIXED)).toEqual(want);
});

test.each([
  [false, 'pku avx512f', ['AVX512F']],
  [true, 'pku avx512f', ['AMXFP8', 'AVX512F']],
  [true, 'pku', []],
  [true, 'pni', ['OSXSAVE', 'SSE3', 'XSAVE']],
])('G97 repeats upstream defects %s for %s', (upstreamDefects, flags, want) => {
  expect(x86Flags(cpu(flags), { upstreamDefects })).toEqual(want);
});

test('G98 names the capabilities of arm64 that upstream knows', () => {
  const text = 'processor\t: 0\nFeatures\t: fp asimd aes cssc\nCPU implementer\t: 0x41\nCPU architecture: 8\n';
  expect(hwcapFlags(parseCpuInfo(text))).toEqual(['AES', 'ASIMD', 'FP']);
});
