// Measures the rows of bench/webgpu in two workers: in every round each computes once, so both meet the same disturbances.

import { interleave, median } from '../../../bench/peers/measure.mjs'
import { rows } from '../../../bench/webgpu/rows.mjs'
import type { Answer, Built, CallName, Found, Place, Question, Questions } from './protocol'

const ROUNDS = 5
const TIMING = { rounds: ROUNDS, warmUpMs: 500, sampleMs: 200 }
/** With WebAssembly, the largest product takes seconds. */
const WITHOUT_WASM = new Set(['product-4096'])

export interface Result {
  readonly id: string
  readonly call: CallName
  readonly flops: number | null
  readonly libraries: Partial<Record<Place, { ms?: number; counts?: Record<string, number>; why?: string }>>
  readonly auto: { readonly device: Place; readonly why: string } | null
}

export const LIBRARIES = [
  { name: 'gpu', title: 'GPU' },
  { name: 'wasm', title: 'WebAssembly' },
] as const

/** A worker that answers questions in their order. */
export class Computer {
  private readonly worker = new Worker(new URL('./gpu-worker.ts', import.meta.url), { type: 'module', name: 'gpu' })
  private readonly waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  private questions = 0

  constructor() {
    this.worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
      const waiting = this.waiting.get(data.id)
      this.waiting.delete(data.id)
      if (data.error === null) waiting?.resolve(data.value as never)
      else waiting?.reject(new Error(data.error))
    })
    this.worker.addEventListener('error', ({ message }) => {
      for (const { reject } of this.waiting.values()) reject(new Error(message || 'the worker could not be started'))
    })
  }

  ask<Kind extends keyof Questions>(
    kind: Kind,
    argument: Questions[Kind]['argument'],
  ): Promise<Questions[Kind]['answer']> {
    const question: Question = { id: this.questions++, kind, argument }
    return new Promise((resolve, reject) => {
      this.waiting.set(question.id, { resolve, reject })
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no other origins
      this.worker.postMessage(question)
    })
  }

  end(): void {
    this.worker.terminate()
  }
}

/** The rows that are measured; products only with times, but for the first. */
export const idsOf = ({ limits }: Found): string[] =>
  Object.keys(rows).filter((id) => limits !== null || rows[id]!.n === undefined || id === 'product-256')

/** One row on the GPU and, unless only calls are counted, with WebAssembly. */
export async function measureRow(
  id: string,
  computers: Record<Place, Computer>,
  isCounted: boolean,
): Promise<Result[]> {
  const built: Partial<Record<Place, Built>> = {}
  const failures: Result['libraries'] = {}
  const places: readonly Place[] = isCounted || WITHOUT_WASM.has(id) ? ['gpu'] : ['gpu', 'wasm']
  for (const place of places) {
    try {
      built[place] = await computers[place].ask('build', { id, place, isCounted })
    } catch (error) {
      failures[place] = { why: error instanceof Error ? error.message : String(error) }
    }
  }
  const present = places.filter((place) => built[place] !== undefined)
  const results: Result[] = []
  for (const call of ['product', 'train', 'predict'] as const) {
    if (!present.some((place) => built[place]?.calls[call] !== undefined)) continue
    const times = isCounted ? new Map<string, number[]>() : await timesOf(computers, present, call)
    const libraries: Result['libraries'] = { ...failures }
    for (const place of present) {
      const samples = times.get(place)
      const counts = place === 'gpu' ? { counts: built.gpu!.calls[call]!.counts } : {}
      libraries[place] = { ...counts, ...(samples === undefined ? {} : { ms: median(samples) }) }
    }
    results.push({ id, call, flops: built[present[0]!]!.calls[call]!.flops, libraries, auto: null })
  }
  const auto = isCounted || built.gpu === undefined ? {} : await computers.gpu.ask('auto', null)
  for (const place of present) await computers[place].ask('end', null)
  return results.map((result) => ({ ...result, auto: auto[result.call] ?? null }))
}

function timesOf(
  computers: Record<Place, Computer>,
  places: readonly Place[],
  call: CallName,
): Promise<Map<string, number[]>> {
  const contenders = places.map((place) => {
    const sample = (milliseconds: number): Promise<number> => computers[place].ask('sample', { call, milliseconds })
    return { name: place, sample, call: () => undefined }
  })
  return interleave(contenders, TIMING)
}

export { ROUNDS }
