import { defineConfig } from 'vitest/config'
import { leftOut } from './tests/helpers/marked-modes.ts'
import { allModes, modes } from './tests/helpers/modes.ts'

// Node 20 knows relaxed SIMD behind this flag; from 21 on it is on, and the flag may be gone.
const relaxedSimdFlag = Number(process.versions.node.split('.')[0]) < 21 ? ['--experimental-wasm-relaxed-simd'] : []

// The suite runs once in each mode, so that every execution path meets every test that it can change.
export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // tests/engine/webgpu: see vitest.webgpu.config.ts.
    exclude: ['tests/browser/**', 'tests/start/**', 'tests/engine/webgpu/**'],
    globalSetup: ['tests/helpers/fresh-binaries.ts'],
    setupFiles: ['tests/helpers/mode.ts'],
    // A process per file would cost more than most files' tests; mode.ts sets each file's mode anew instead.
    pool: 'forks',
    isolate: false,
    maxWorkers: '100%',
    // Room for a machine that does much else as well; nothing here waits.
    testTimeout: 600_000,
    projects: modes.map((mode) => ({
      extends: true as const,
      test: {
        name: mode,
        exclude: leftOut('tests', mode, allModes),
        provide: { mode },
        execArgv: mode === 'relaxed' ? relaxedSimdFlag : [],
      },
    })),
  },
})
