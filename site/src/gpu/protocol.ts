// The questions of the page to its two workers: one computes on the GPU, the other with WebAssembly.

export type Place = 'gpu' | 'wasm'
export type CallName = 'product' | 'train' | 'predict'

/** What the worker of the GPU has found. */
export interface Found {
  /** The GPU and how it is used, or why there is none. */
  readonly note: string
  /** What is known of it, as lines of Markdown; empty if there is none. */
  readonly lines: readonly string[]
  /** null without a GPU, and for an adapter in software, of which only the calls are counted. */
  readonly limits: { readonly bytesPerSecond: number; readonly flopsPerSecond: number } | null
  readonly isAvailable: boolean
}

export interface Built {
  readonly calls: Readonly<
    Partial<Record<CallName, { readonly flops: number; readonly counts: Record<string, number> }>>
  >
  /** Why programs stay on the CPU. */
  readonly refused: readonly string[]
}

export interface Questions {
  find: { argument: null; answer: Found }
  build: { argument: { readonly id: string; readonly place: Place; readonly isCounted: boolean }; answer: Built }
  /** The milliseconds of one step, prediction or product. */
  sample: { argument: { readonly call: CallName; readonly milliseconds: number }; answer: number }
  /** The places that `auto` chooses for the row that was built last. */
  auto: {
    argument: null
    answer: Readonly<Partial<Record<CallName, { readonly device: Place; readonly why: string }>>>
  }
  end: { argument: null; answer: null }
}

export interface Question {
  readonly id: number
  readonly kind: keyof Questions
  readonly argument: unknown
}

export interface Answer {
  readonly id: number
  readonly value: unknown
  readonly error: string | null
}
