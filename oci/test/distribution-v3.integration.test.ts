import { registryV3Program } from './config.ts';
import { registryConformance } from './registry-conformance.ts';
import { startUnderTest } from './under-test.ts';

const program = registryV3Program;

registryConformance('distribution v3, open', () => startUnderTest({ program }));
registryConformance('distribution v3, basic auth', () => startUnderTest({ program, basicAuth: true }));
registryConformance('distribution v3, TLS', () => startUnderTest({ program, tls: true }));
registryConformance('distribution v3, TLS and basic auth', () =>
  startUnderTest({ program, tls: true, basicAuth: true }),
);
