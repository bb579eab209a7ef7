// Runtimes of several threads for tests, and graphs traced from functions. Compares bits, never numbers.

import { inject } from 'vitest'
import type { TensorType } from '../../src/core/shapes'
import { trace } from '../../src/ops/trace'
import type { Tensor } from '../../src/ops/tensor'
import { compile, type Runtime } from '../../src/engine/runtime/runtime'
import { configure, dispose, makeRuntime, threadsReady } from '../../src/engine/runtime/configure'
import { ThreadedBackend } from '../../src/engine/runtime/threads/backend'
import type { ThreadPool } from '../../src/engine/runtime/threads/pool'
import { settingsOf } from './modes'

/** A runtime in the suite's mode whose workers have started. */
export async function threadedRuntime(threads: number, partWork?: number): Promise<Runtime> {
  const settings = settingsOf[inject('mode')]
  const runtime = makeRuntime(partWork === undefined ? { ...settings, threads } : { ...settings, threads, partWork })
  await runtime.backend.ready
  return runtime
}

/** The threads of a runtime that has several. */
export function poolOf({ backend }: Runtime): ThreadPool {
  if (!(backend instanceof ThreadedBackend)) throw new Error('a runtime of one thread')
  return backend.pool
}

/** Runs `body` with models on `threads` threads. */
export async function withThreads<Result>(threads: number, body: () => Result | Promise<Result>): Promise<Result> {
  configure({ threads })
  try {
    await threadsReady()
    return await body()
  } finally {
    configure({ threads: 1 })
    await dispose()
  }
}

export function graphOf(shapes: readonly (readonly number[])[], body: (inputs: Tensor[]) => readonly Tensor[]) {
  return trace(
    shapes.map((shape): TensorType => ({ shape, dtype: 'float32' })),
    body,
  ).graph
}

/** Numbers between −1 and 1 without a regular pattern. */
export function fillInput(target: { [index: number]: number; readonly length: number }, seed: number): void {
  for (let i = 0; i < target.length; i++) target[i] = Math.sin(i * 12.9898 + seed * 78.233) * Math.cos(i * 0.3711)
}

/** The bits of all outputs. */
export function bitsOfRun(runtime: Runtime, graph: ReturnType<typeof graphOf>): number[][] {
  const program = compile(runtime, graph)
  graph.parameters.forEach((_, i) => fillInput(program.parameter(i), i))
  program.run()
  const bits = graph.outputs.map((_, i) => {
    const { buffer, byteOffset, length } = program.output(i).slice()
    return [...new Int32Array(buffer, byteOffset, length)]
  })
  program.dispose()
  return bits
}
