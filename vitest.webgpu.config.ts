import { defineConfig } from 'vitest/config'

// The tests of the GPU run in processes of their own: a driver in software takes memory and threads, and other tests measure both.
export default defineConfig({
  test: {
    include: ['tests/engine/webgpu/**/*.test.ts'],
    globalSetup: ['tests/helpers/fresh-binaries.ts'],
    setupFiles: ['tests/helpers/mode.ts'],
    pool: 'forks',
    isolate: false,
    maxWorkers: '100%',
    testTimeout: 600_000,
    provide: { mode: 'simd' },
  },
})
