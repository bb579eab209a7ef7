// Scores sequences that grow, with programs that are compiled once: blocks of steps for what is new, single steps for each token. What
// was computed for a sequence is kept until another one begins otherwise, so that a prompt costs what is new in it.

import { deviceOf } from '../engine/runtime/accelerator'
import type { Program } from '../engine/runtime/program'
import { compile } from '../engine/runtime/runtime'
import { listsOf, type WeightLists } from '../layers/weight-lists'
import type { Variable } from '../ops/variable'
import { Causality } from './causality'
import type { Traces } from './growth'
import { scoresFrom, takeSteps, traceScores, type Decoder, type Sequence } from './programs'
import { FEWEST_STEPS, type Scorer } from './scorers'
import { KeptSteps, Stepper, takesBlocks } from './stepper'

/** The number of steps of a prompt that are computed together. */
const BLOCK = 64

/** One run of a program: tokens of the steps from start to end. */
interface Turn {
  readonly program: Program
  readonly start: number
  readonly end: number
  readonly tokens: readonly Sequence[]
}

export class Decoding implements Scorer {
  private readonly step: Program
  private readonly block: Program | null
  /** The number of steps of a block. */
  private readonly size: number
  private readonly kept = new KeptSteps()
  private readonly device = deviceOf(this)
  /** The tokens whose steps are kept. */
  private known: number[][]
  private readonly lists: WeightLists
  private print: number
  /** Settles when no call is in progress: calls share what is kept, so they run one after the other. */
  private idle: Promise<unknown> = Promise.resolve()

  /**
   * @param batch the number of sequences
   * @param capacity the largest number of steps
   * @throws StateError for a model that cannot be computed one step at a time
   */
  constructor(
    private readonly model: Decoder,
    readonly batch: number,
    readonly capacity: number,
  ) {
    const length = Math.max(capacity, FEWEST_STEPS)
    this.size = Math.min(BLOCK, length)
    const long = traceScores(model, [batch, length], length)
    const short = traceScores(model, [batch, FEWEST_STEPS], length)
    const traces: Traces = { model: `${model}`, long: long.graph, short: short.graph, steps: [length, FEWEST_STEPS] }
    const causality = new Causality(traces, long.runtime, 1)
    this.step = compile(long.runtime, new Stepper(causality, traces, this.kept).step)
    this.block = takesBlocks(causality)
      ? compile(long.runtime, new Stepper(causality, traces, this.kept, this.size).step)
      : null
    this.known = Array.from({ length: batch }, () => [])
    this.lists = listsOf(model)
    this.print = printOf(this.lists.weights)
  }

  /** Whether the programs are those of the model as it is now, and are for sequences of this length. */
  fits(length: number): boolean {
    return length <= this.capacity && listsOf(this.model) === this.lists
  }

  /**
   * The scores after the last token of each sequence. Sequences of equal length; what they begin with in common with the sequences before
   * is not computed again.
   */
  next(sequences: readonly Sequence[]): Promise<Float32Array[]> {
    const scores = this.idle.then(() => this.compute(sequences))
    this.idle = scores.catch(() => undefined)
    return scores
  }

  /**
   * Gives each sequence what is kept of another one, so that sequences which continue others need no step again.
   * @param from the index of that other one
   */
  reorder(from: readonly number[]): void {
    // On another device, what is kept differs from linear memory: the sequences are then computed again.
    if (this.device.isOther || from.every((row, i) => row === i)) return
    for (const { view, shape } of this.kept.variables.values()) {
      const length = view.length / shape[0]!
      const before = view.slice()
      from.forEach((row, i) => view.set(before.subarray(row * length, (row + 1) * length), i * length))
    }
    this.known = from.map((row) => [...this.known[row]!])
  }

  private async compute(sequences: readonly Sequence[]): Promise<Float32Array[]> {
    const length = sequences[0]!.length
    let at = this.common(sequences)
    const part = (from: number, to: number): number[][] => sequences.map((each) => each.slice(from, to))
    this.known = part(0, at)
    let scores: Float32Array[] | null = null
    while (at < length) {
      const { program, start, end, tokens } = this.turn(at, length, part)
      const others = program === this.block ? [start, end - start] : [start]
      if (end < length) await takeSteps(this.device, program, tokens, others, () => undefined)
      else scores = await scoresFrom(this.device, program, tokens, others)
      at = end
      this.known = part(0, at)
    }
    return scores!
  }

  /** The next block of steps, or the next single step, from step `at` on. */
  private turn(at: number, length: number, part: (from: number, to: number) => number[][]): Turn {
    const { block, size, capacity } = this
    if (block === null || length - at === 1)
      return { program: this.step, start: at, end: at + 1, tokens: part(at, at + 1) }
    // At the end of the capacity there is no place for padding: the block begins with steps that are known.
    const start = Math.min(at, Math.max(0, capacity - size))
    const end = Math.min(length, start + size)
    const tokens = part(start, end).map((each) => [...each, ...new Array<number>(size - each.length).fill(0)])
    return { program: block, start, end, tokens }
  }

  /** How many steps of the sequences are kept, at most all but the last. A change of the weights makes them invalid. */
  private common(sequences: readonly Sequence[]): number {
    const print = printOf(this.lists.weights)
    if (print !== this.print) {
      this.print = print
      return 0
    }
    return sequences.reduce((most, each, i) => commonSteps(each, this.known[i]!, most), sequences[0]!.length - 1)
  }

  async dispose(): Promise<void> {
    await this.idle
    await this.device.release()
    this.step.dispose()
    this.block?.dispose()
    this.kept.dispose()
  }
}

/** How many tokens two sequences begin with in common, at most `most`. */
function commonSteps(a: Sequence, b: Sequence, most: number): number {
  let count = 0
  while (count < most && a[count] === b[count]) count++
  return count
}

/** Words of a weight that stand for all of it. */
const SAMPLES = 3

/**
 * A number that changes when weights are trained, assigned or loaded: from the bits of a few elements of each. It is read before each
 * token, and must not make a device copy the weights again.
 */
function printOf(weights: readonly Variable[]): number {
  let print = 0
  let words = new Int32Array()
  for (const { runtime, storage, byteOffset, byteLength } of weights) {
    const { buffer } = runtime.memory
    if (words.buffer !== buffer) words = new Int32Array(buffer)
    const first = (storage.addressToRead + byteOffset) / Int32Array.BYTES_PER_ELEMENT
    const size = Math.floor(byteLength / Int32Array.BYTES_PER_ELEMENT)
    const stride = Math.max(1, Math.floor(size / SAMPLES))
    for (let i = 0; i < size; i += stride) print = (Math.imul(print, 31) + words[first + i]!) | 0
  }
  return print
}
