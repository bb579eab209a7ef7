// Runs graphs for tests: on a runtime, checking every byte that must not change; and in float64, for the truth and for
// finite differences. Independent of single primitives.

import { expect, inject } from 'vitest'
import { GEMM_SCRATCH } from '../../assembly/shared/instructions'
import { GraphBuilder } from '../../src/engine/transforms/builder'
import { gradients } from '../../src/engine/transforms/differentiate'
import type { Graph, Value } from '../../src/engine/ir/graph'
import type { Buffer as PlannedBuffer } from '../../src/engine/ir/operand'
import { interpret, type Interpretation } from '../../src/engine/transforms/interpret'
import type { NumericArray } from '../../src/core/dtypes'
import { sizeOf } from '../../src/core/shapes'
import { planTape } from '../../src/engine/tape'
import type { Program } from '../../src/engine/runtime/program'
import { compile, type Runtime } from '../../src/engine/runtime/runtime'
import { TapeBackend } from '../../src/engine/runtime/tape-backend'
import { expectClose } from './compare'
import { generator, type TensorContent } from './data'
import { expectDerivatives, largestIn } from './differences'

/** Builds a graph whose parameters have the types of the contents. */
export function graphOf(
  contents: readonly TensorContent[],
  body: (builder: GraphBuilder, inputs: Value[]) => readonly Value[],
): Graph {
  const builder = new GraphBuilder()
  const inputs = contents.map((content) => builder.parameter(content))
  return builder.finish(body(builder, inputs))
}

function typed({ data, dtype }: TensorContent): NumericArray {
  return dtype === 'float32' ? Float32Array.from(data) : Int32Array.from(data)
}

function noCells(): never {
  throw new Error('a graph without cells was expected')
}

/** The truth: every node in float64. */
export function interpretWide(graph: Graph, contents: readonly TensorContent[]): Interpretation {
  return wide(graph, contents.map(typed))
}

/** Runs a program; returns copies of its outputs, or null if a guard ended the run. */
function runProgram(program: Program, contents: readonly TensorContent[]): NumericArray[] | null {
  contents.forEach((content, i) => program.parameter(i).set(content.data))
  if (!program.run()) return null
  return program.graph.outputs.map((_, i) => program.output(i).slice())
}

/** Compiles, runs once and disposes. */
export function runGraph(runtime: Runtime, graph: Graph, contents: readonly TensorContent[]): NumericArray[] | null {
  const program = compile(runtime, graph)
  try {
    return runProgram(program, contents)
  } finally {
    program.dispose()
  }
}

type Range = readonly [start: number, end: number]

/** The memory that the plan gives to a graph, as absolute addresses. Empty with the interpreter. */
interface WorkArea {
  readonly start: number
  readonly bytes: number
  /**
   * The memory that a run may change: scratch, and all planned buffers except inputs that share their bytes with
   * nothing.
   */
  readonly writable: readonly Range[]
}

function workArea(runtime: Runtime, graph: Graph): WorkArea {
  const { backend } = runtime
  if (!(backend instanceof TapeBackend)) return { start: 0, bytes: 0, writable: [] }
  const { memory, parameters } = planTape(graph, {
    fuse: runtime.settings.fuse,
    share: backend.share,
  })
  const start = runtime.workspaceFor(memory.workspaceBytes)
  const placed = memory.buffers.flatMap((buffer) =>
    buffer.home.kind === 'workspace'
      ? [{ buffer, from: start + buffer.home.offset, to: start + buffer.home.offset + buffer.byteLength }]
      : [],
  )
  const users = (buffer: PlannedBuffer): number => memory.places.filter((place) => place.buffer === buffer).length
  const inputOnly = ({ buffer, from, to }: (typeof placed)[number]): boolean =>
    parameters.some((address) => address.buffer === buffer) &&
    users(buffer) === 1 &&
    !placed.some((other) => other.buffer !== buffer && other.from < to && from < other.to)
  const results = placed.filter((each) => !inputOnly(each)).map(({ from, to }): Range => [from, to])
  const { scratch } = runtime.arena
  return { start, bytes: memory.workspaceBytes, writable: [[scratch, scratch + GEMM_SCRATCH], ...results] }
}

function updatedBytes({ updates }: Graph): Range[] {
  return updates.map(({ cell: { storage, byteOffset, shape } }) => {
    const start = storage.address + byteOffset
    return [start, start + 4 * sizeOf(shape)]
  })
}

const FREE_BYTES = 32768

/** The memory in use and some unused memory, without the writable ranges. */
function fixedRanges(runtime: Runtime, writable: readonly Range[]): Range[] {
  const used = runtime.arena.scratch + GEMM_SCRATCH + runtime.arena.usedBytes
  const end = Math.min(used + FREE_BYTES, runtime.memory.buffer.byteLength)
  const fixed: Range[] = []
  let from = 0
  for (const [start, stop] of writable.toSorted(([a], [b]) => a - b)) {
    if (start > from) fixed.push([from, start])
    from = Math.max(from, stop)
  }
  return from < end ? [...fixed, [from, end]] : fixed
}

function firstDifference(a: Uint8Array, b: Uint8Array): number | null {
  if (Buffer.compare(a, b) === 0) return null
  return a.findIndex((byte, i) => byte !== b[i])
}

/** The address of a byte that `run` changes in the ranges; null if it changes none. */
function changedBy(runtime: Runtime, ranges: readonly Range[], run: () => void): number | null {
  const contents = ([start, end]: Range) => new Uint8Array(runtime.memory.buffer, start, end - start)
  const before = ranges.map((range) => contents(range).slice())
  run()
  for (const [i, range] of ranges.entries()) {
    const at = firstDifference(before[i]!, contents(range))
    if (at !== null) return range[0] + at
  }
  return null
}

/**
 * Runs a graph without cells' updates twice, with different leftovers in the workspace. Expects the same bits both
 * times, and no byte changed outside the planned results.
 * @returns the outputs, or null if a guard ended the run
 */
export function runWatched(
  runtime: Runtime,
  graph: Graph,
  contents: readonly TensorContent[],
  where: string,
): NumericArray[] | null {
  const program = compile(runtime, graph)
  try {
    const { start, bytes, writable } = workArea(runtime, graph)
    const leaveBehind = (pattern: number) => new Uint8Array(runtime.memory.buffer, start, bytes).fill(pattern)
    leaveBehind(0xff)
    const first = runProgram(program, contents)
    leaveBehind(0xa5)
    contents.forEach((content, i) => program.parameter(i).set(content.data))
    const allowed = [...writable, ...updatedBytes(graph)]
    let completed = false
    const changed = changedBy(runtime, fixedRanges(runtime, allowed), () => {
      completed = program.run()
    })
    expect(changed, `${where}: address of a byte changed outside the results`).toBeNull()
    const second = completed ? graph.outputs.map((_, i) => program.output(i).slice()) : null
    expect(second === null, `${where}: ended by a guard both times`).toBe(first === null)
    second?.forEach((output, i) => {
      const at = firstDifference(bytesOf(output), bytesOf(first![i]!))
      expect(at, `${where}: output ${i}, a byte that differs over other leftovers`).toBeNull()
    })
    return second
  } finally {
    program.dispose()
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: NumericArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** A scalar float32 loss of the inputs. */
export type Loss = (builder: GraphBuilder, inputs: readonly Value[]) => Value

/** Σ output · w over all float32 outputs, w fixed in ±[½, 1½): every element counts with a different weight. */
export function weightedSum(builder: GraphBuilder, outputs: readonly Value[]): Value {
  const { e } = builder
  const random = generator(17)
  let total = e.scalar(0)
  for (const output of outputs.filter(({ dtype }) => dtype === 'float32')) {
    const weights = Float32Array.from(
      { length: sizeOf(output.shape) },
      () => (0.5 + random()) * (random() < 0.5 ? -1 : 1),
    )
    const w = builder.emitOne('constant', [], { data: weights, shape: output.shape, dtype: 'float32' })
    total = e.add(
      total,
      e.sum(
        e.multiply(output, w),
        output.shape.map((_, axis) => axis),
      ),
    )
  }
  return total
}

/** ∂loss/∂x for each float32 input, in order. */
export function gradientGraph(contents: readonly TensorContent[], loss: Loss): Graph {
  return graphOf(contents, (builder, inputs) => {
    const wrt = inputs.filter(({ dtype }) => dtype === 'float32')
    return gradients(builder, loss(builder, inputs), wrt, builder.e.scalar(1))
  })
}

/** A graph without cells in float64. */
const wide = (graph: Graph, arrays: readonly NumericArray[]): Interpretation =>
  interpret(graph, arrays, noCells, { precision: 'float64' })

/** Compares a gradient in float64 with differences of the loss. */
function expectDifferences(
  contents: readonly TensorContent[],
  loss: Loss,
  gradient: readonly NumericArray[],
  tolerance: number,
  where: string,
): void {
  const graph = graphOf(contents, (builder, inputs) => [loss(builder, inputs)])
  const arrays = contents.map((content) =>
    content.dtype === 'float32' ? Float64Array.from(content.data) : typed(content),
  )
  const moved = arrays.filter((array) => array instanceof Float64Array)
  expectDerivatives(() => wide(graph, arrays).outputs[0]![0]!, moved, gradient, tolerance, where)
}

/**
 * Compares a runtime's gradient of `loss`, relative to the largest element, with the gradient in float64. In the mode `simd`,
 * that one is compared with finite differences: the rules of gradients are the same in the other modes.
 */
export function expectGradient(
  runtime: Runtime,
  contents: readonly TensorContent[],
  loss: Loss,
  relative: number,
  where: string,
): void {
  const graph = gradientGraph(contents, loss)
  const received = runGraph(runtime, graph, contents)!
  const expected = interpretWide(graph, contents).outputs
  // Finite differences are accurate to about 1e-10 of the loss.
  const absolute = relative * largestIn(expected) + 1e-7
  expected.forEach((each, i) => {
    expectClose(received[i]!, each, { ulp: 0, absolute, signedZero: false }, `${where}: gradient of input ${i}`)
  })
  if (inject('mode') === 'simd') expectDifferences(contents, loss, expected, absolute, where)
}
