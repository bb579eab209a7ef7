// The execution paths that the suite runs in, and what each asks of the library.
// Knows nothing of vitest's life cycle: see mode.ts.

export const modes = ['simd', 'relaxed', 'interpreter', 'unfused'] as const

export type Mode = (typeof modes)[number]

export interface Settings {
  backend: 'wasm' | 'interpreter'
  simd: 'plain' | 'relaxed'
  fuse: boolean
}

export const settingsOf: Record<Mode, Settings> = {
  simd: { backend: 'wasm', simd: 'plain', fuse: true },
  relaxed: { backend: 'wasm', simd: 'relaxed', fuse: true },
  interpreter: { backend: 'interpreter', simd: 'plain', fuse: true },
  unfused: { backend: 'wasm', simd: 'plain', fuse: false },
}

declare module 'vitest' {
  interface ProvidedContext {
    mode: Mode
  }
}
