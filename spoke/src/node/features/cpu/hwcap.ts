import type { Architecture, CpuInfo } from './cpuinfo.ts';

/** Names that upstream publishes, HWCAP then HWCAP2; the kernel's words are the same in lower case. Newer ones get none. */
const NAMES: Partial<Record<Architecture, string>> = {
  arm64:
    'FP ASIMD EVTSTRM AES PMULL SHA1 SHA2 CRC32 ATOMICS FPHP ASIMDHP CPUID ASIMDRDM JSCVT FCMA LRCPC DCPOP SHA3 SM3 SM4 ASIMDDP SHA512 SVE ASIMDFHM DIT USCAT ILRCPC FLAGM SSBS SB PACA PACG DCPODP SVE2 SVEAES SVEPMULL SVEBITPERM SVESHA3 SVESM4 FLAGM2 FRINT SVEI8MM SVEF32MM SVEF64MM SVEBF16 I8MM BF16 DGH RNG BTI MTE ECV AFP RPRES MTE3 SME SMEI16I64 SMEF64F64 SMEI8I32 SMEF16F32 SMEB16F32 SMEF32F32 SMEFA64 WFXT EBF16 SVEEBF16',
  s390x:
    'ESAN3 ZARCH STFLE MSA LDISP EIMM DFP EDAT ETF3EH HIGHGPRS TE VX VXD VXE GS VXE2 VXP SORT DFLT VXP2 NNPA PCIMIO SIE',
};

/** Flags of an architecture whose /proc/cpuinfo spells them as NFD does, sorted. */
export function hwcapFlags({ architecture, flags }: CpuInfo): string[] {
  const names = (NAMES[architecture] ?? '').split(' ');
  return names.filter((name) => flags.has(name.toLowerCase())).sort();
}
