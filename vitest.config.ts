import { defineConfig } from 'vitest/config';

/**
 * unit: beside the code, no servers. integration: real API server, Redis, registry, buildah.
 * e2e: the whole world with a real kernel; one file at a time, since a world fills the machine.
 * The limits only end what hangs: no test is judged by how fast a busy machine is. A test with real servers that fails is tried
 * once more, and the report says so.
 */
export default defineConfig({
  test: {
    teardownTimeout: 60_000,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['*/test/**/*.integration.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          maxWorkers: 3,
          retry: 1,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['*/test/**/*.e2e.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          retry: 1,
        },
      },
    ],
  },
});
