// The execution paths that the suite runs in, and their settings. mode.ts applies them.

export type Mode = 'simd' | 'relaxed' | 'interpreter' | 'unfused' | 'turbo'

// Before Node 24 there are no pairs of vectors: turbo is the same as relaxed.
const hasTurbo = Number(process.versions.node.split('.')[0]) >= 24

export const allModes: readonly Mode[] = ['simd', 'relaxed', 'interpreter', 'unfused', 'turbo']

/** The modes that this Node can run. */
export const modes = allModes.filter((mode) => mode !== 'turbo' || hasTurbo)

export interface Settings {
  backend: 'wasm' | 'interpreter'
  simd: 'plain' | 'relaxed'
  fuse: boolean
  turbo?: boolean
}

export const settingsOf: Record<Mode, Settings> = {
  simd: { backend: 'wasm', simd: 'plain', fuse: true },
  relaxed: { backend: 'wasm', simd: 'relaxed', fuse: true },
  interpreter: { backend: 'interpreter', simd: 'plain', fuse: true },
  unfused: { backend: 'wasm', simd: 'plain', fuse: false },
  turbo: { backend: 'wasm', simd: 'relaxed', fuse: true, turbo: true },
}

declare module 'vitest' {
  interface ProvidedContext {
    mode: Mode
  }
}
