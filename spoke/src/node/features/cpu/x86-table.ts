/** What else must hold for the entries of a row; NFD's library checks it on CPUID, here the kernel's flags stand for it. */
export type Gate =
  | ('avx' | 'avx512f' | 'bmi1' | 'svm' | 'xsave' | 'ibs' | 'sgx') // flag shown
  | ('amd' | 'amdOrHygon') // vendor
  | ('strict' | 'strictAvx512f'); // upstream's defects are wanted

/**
 * `entries`: NFD's name @ bit of the CPUID register = the kernel's flag. A flag `-` is not visible in /proc/cpuinfo (the
 * bit is for a reader of /dev/cpu/N/cpuid); one with `~` is close, not equal.
 */
export type X86Row = { leaf: string; gate?: Gate; entries: string };

/** All names of klauspost/cpuid v2.4 that NFD publishes, except those computed in x86-flags.ts. */
export const x86Table: readonly X86Row[] = [
  {
    leaf: '1:EDX',
    entries:
      'X87@0=fpu CMPXCHG8@8=cx8 SYSEE@11=sep CMOV@15=cmov MMX@23=mmx FXSR@24=fxsr SSE@25=sse FXSROPT@25=sse SSE2@26=sse2',
  },
  {
    leaf: '1:ECX',
    entries:
      'SSE3@0=pni CLMUL@1=pclmulqdq VMX@5=vmx SSSE3@9=ssse3 CX16@13=cx16 SSE4@19=sse4_1 SSE42@20=sse4_2 MOVBE@22=movbe POPCNT@23=popcnt AESNI@25=aes F16C@29=f16c RDRAND@30=rdrand HYPERVISOR@31=hypervisor',
  },
  // The kernel sets CR4.OSXSAVE whenever it shows `xsave`.
  { leaf: '1:ECX', entries: 'XSAVE@26=xsave OSXSAVE@27=xsave AVX@28=avx' },
  { leaf: '1:ECX', gate: 'xsave', entries: 'FMA3@12=fma' },
  // Version 2.4.0 of the library reads bit 0 for both.
  { leaf: '1:ECX', gate: 'strict', entries: 'XSAVE@0=pni OSXSAVE@0=pni' },
  {
    leaf: '7.0:EBX',
    entries:
      'SGX@2=sgx~ HLE@4=hle ERMS@9=erms RTM@11=rtm MPX@14=mpx RDSEED@18=rdseed ADX@19=adx SHA@29=sha_ni BMI1@3=bmi1',
  },
  { leaf: '7.0:EBX', gate: 'bmi1', entries: 'BMI2@8=bmi2' },
  { leaf: '7.0:EBX', gate: 'avx', entries: 'AVX2@5=avx2' },
  {
    leaf: '7.0:ECX',
    entries:
      'WAITPKG@5=waitpkg CETSS@7=user_shstk~ GFNI@8=gfni VAES@9=vaes VPCLMULQDQ@10=vpclmulqdq TME@13=tme KEYLOCKER@23=- CLDEMOTE@25=cldemote MOVDIRI@27=movdiri MOVDIR64B@28=movdir64b ENQCMD@29=enqcmd SGXLC@30=sgx_lc~',
  },
  {
    leaf: '7.0:EDX',
    entries:
      'FSRM@4=fsrm SRBDS_CTRL@9=- MD_CLEAR@10=md_clear RTM_ALWAYS_ABORT@11=- SERIALIZE@14=serialize HYBRID_CPU@15=- TSXLDTRK@16=tsxldtrk PCONFIG@18=pconfig CETIBT@20=ibt~ IBPB@26=ibpb~ STIBP@27=stibp~ FLUSH_L1D@28=flush_l1d IA32_ARCH_CAP@29=arch_capabilities IA32_CORE_CAP@30=- SPEC_CTRL_SSBD@31=ssbd~',
  },
  {
    leaf: '7.1:EAX',
    entries:
      'SM3_X86@1=- SM4_X86@2=- CMPCCXADD@7=- MOVSB_ZL@10=- STOSB_SHORT@11=- CMPSB_SCADBS_SHORT@12=- FRED@17=fred HRESET@22=- AVXIFMA@23=- LAM@26=lam',
  },
  { leaf: '7.1:EAX', gate: 'avx', entries: 'AVXVNNI@4=avx_vnni' },
  {
    leaf: '7.1:EDX',
    entries:
      'AVXVNNIINT8@4=- AVXNECONVERT@5=- AMXTRANSPOSE@6=- AMXTF32@7=- AMXCOMPLEX@8=- AVXVNNIINT16@10=- PREFETCHI@14=- AVX10@19=- APX_F@21=-',
  },
  {
    leaf: '7.0:EBX',
    gate: 'avx512f',
    entries:
      'AVX512F@16=avx512f AVX512DQ@17=avx512dq AVX512IFMA@21=avx512ifma AVX512PF@26=avx512pf AVX512ER@27=avx512er AVX512CD@28=avx512cd AVX512BW@30=avx512bw AVX512VL@31=avx512vl',
  },
  {
    leaf: '7.0:ECX',
    gate: 'avx512f',
    entries:
      'AVX512VBMI@1=avx512vbmi AVX512VBMI2@6=avx512_vbmi2 AVX512VNNI@11=avx512_vnni AVX512BITALG@12=avx512_bitalg AVX512VPOPCNTDQ@14=avx512_vpopcntdq',
  },
  {
    leaf: '7.0:EDX',
    gate: 'avx512f',
    entries:
      'AVX512VP2INTERSECT@8=avx512_vp2intersect AMXBF16@22=amx_bf16 AVX512FP16@23=avx512_fp16 AMXTILE@24=amx_tile AMXINT8@25=amx_int8',
  },
  { leaf: '7.1:EAX', gate: 'avx512f', entries: 'AVX512BF16@5=avx512_bf16 WRMSRNS@19=- AMXFP16@21=- MSRLIST@27=-' },
  { leaf: '7.2:EDX', entries: 'PSFD@0=- IDPRED_CTRL@1=- RRSBA_CTRL@2=- BHI_CTRL@4=- MCDT_NO@5=-' },
  { leaf: '0x12.0:EAX', gate: 'sgx', entries: 'SGXPQC@12=-' },
  { leaf: '0x19.0:EBX', entries: 'KEYLOCKERW@0=-' },
  { leaf: '0x24.0:EBX', entries: 'AVX10_128@16=- AVX10_256@17=- AVX10_512@18=-' },
  {
    leaf: '0xD.1:EAX',
    gate: 'xsave',
    entries: 'XSAVEOPT@0=xsaveopt XSAVEC@1=xsavec XGETBV1@2=xgetbv1 XSAVES@3=xsaves',
  },
  {
    leaf: '0xA:EBX',
    entries:
      'PMU_FIXEDCOUNTER_INSTRUCTIONS@0=- PMU_FIXEDCOUNTER_CYCLES@1=- PMU_FIXEDCOUNTER_REFCYCLES@2=- PMU_FIXEDCOUNTER_TOPDOWN_SLOTS@3=-',
  },
  {
    leaf: '0x80000001:ECX',
    entries: 'LAHF@0=lahf_lm SVM@2=svm LZCNT@5=abm POPCNT@5=abm SSE4A@6=sse4a IBS@10=ibs TOPEXT@22=topoext',
  },
  { leaf: '0x80000001:ECX', gate: 'avx', entries: 'XOP@11=xop FMA4@16=fma4' },
  {
    leaf: '0x80000001:EDX',
    entries:
      'SYSCALL@11=syscall NX@20=nx MMXEXT@22=mmxext MMX@23=mmx FXSR@24=fxsr FXSROPT@25=fxsr_opt RDTSCP@27=rdtscp AMD3DNOWEXT@30=3dnowext AMD3DNOW@31=3dnow',
  },
  { leaf: '0x80000007:EBX', entries: 'MCAOVERFLOW@0=overflow_recov SUCCOR@1=succor HWA@2=-' },
  { leaf: '0x80000007:EDX', entries: 'CPBOOST@9=cpb' },
  {
    leaf: '0x80000008:EBX',
    entries:
      'CLZERO@0=clzero MSRIRC@1=irperf INVLPGB@3=- RDPRU@4=rdpru MCOMMIT@8=- WBNOINVD@9=wbnoinvd IBPB@12=ibpb~ INT_WBINVD@13=- STIBP@15=stibp~ STIBP_ALWAYSON@17=- IBRS_PREFERRED@18=- IBRS_PROVIDES_SMP@19=- EFER_LMSLE_UNS@20=- TLB_FLUSH_NESTED@21=- PPIN@23=amd_ppin SPEC_CTRL_SSBD@24=ssbd~ CPPC@27=cppc PSFD@28=-',
  },
  // Intel's `ibrs` comes from leaf 7 and sets no name.
  { leaf: '0x80000008:EBX', gate: 'amdOrHygon', entries: 'IBRS@14=ibrs' },
  {
    leaf: '0x8000000A:EDX',
    gate: 'svm',
    entries:
      'SVMNP@0=npt LBRVIRT@1=lbrv SVML@2=svm_lock NRIPS@3=nrip_save TSCRATEMSR@4=tsc_scale VMCBCLEAN@5=vmcb_clean SVMFBASID@6=flushbyasid SVMDA@7=decodeassists SVMPF@10=pausefilter SVMPFT@12=pfthreshold',
  },
  { leaf: '0x8000001A:EAX', entries: 'FP128@0=- MOVU@1=- FP256@2=-' },
  {
    leaf: '0x8000001B:EAX',
    gate: 'ibs',
    entries:
      'IBSFFV@0=- IBSFETCHSAM@1=- IBSOPSAM@2=- IBSRDWROPCNT@3=- IBSOPCNT@4=- IBSBRNTRGT@5=- IBSOPCNTEXT@6=- IBSRIPINVALIDCHK@7=- IBS_OPFUSE@8=- IBS_FETCH_CTLX@9=- IBS_OPDATA4@10=- IBS_ZEN4@11=-',
  },
  {
    leaf: '0x8000001F:EAX',
    gate: 'amd',
    entries:
      'SME@0=sme~ SEV@1=sev~ MSR_PAGEFLUSH@2=- SEV_ES@3=sev_es~ SEV_SNP@4=sev_snp~ VMPL@5=- SME_COHERENT@10=- SEV_64BIT@11=- SEV_RESTRICTED@12=- SEV_ALTERNATIVE@13=- SEV_DEBUGSWAP@14=debug_swap IBS_PREVENTHOST@15=- VTE@16=- VMSA_REGPROT@24=-',
  },
  {
    leaf: '0x80000021:EAX',
    gate: 'amd',
    entries:
      'TSA_VERW_CLEAR@5=- AVX512BMM@23=- SBPB@27=- IBPB_BRTYPE@28=- SRSO_NO@29=- SRSO_USER_KERNEL_NO@30=- SRSO_MSR_FIX@31=-',
  },
  { leaf: '0x21', entries: 'TDX_GUEST@0=tdx_guest' },
  // CPUID 7.0:ECX[3] is PKU, which the library takes for AMXFP8.
  { leaf: '7.0:ECX', gate: 'strictAvx512f', entries: 'AMXFP8@3=pku' },
];
