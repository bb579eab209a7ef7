// Finds the code that kernels can run for known instructions of a tape: runs functions on what is known of their locals, and follows
// both sides of a condition that is not known. The words of a tape are known, what else is in memory is not.

import { internalError } from '../../core/errors'
import type { KernelBinary } from './binary'
import { Op, arityOf, decode, type Code, type Instruction } from './code'

/** An int32; undefined if it is not known, or is another type. */
type Known = number | undefined

/** Which of a function's instructions can run: bits by the number of the instruction. */
export enum Reached {
  No = 0,
  Yes = 1,
  /** The condition of an if or a br_if can be true. */
  IsTrue = 2,
  IsFalse = 4,
}

/** The word at an address that never changes; undefined for others. */
export type KnownWord = (address: number) => Known

/** Calls of a function after which its operands are no longer told apart: a long tape takes no longer than the sum of its parts. */
const MOST_CALLS = 500

interface Label {
  readonly isLoop: boolean
  readonly results: number
  /** What is known where it ends; null if nothing gets there. */
  locals: Known[] | null
  values: Known[]
}

export class Reach {
  /** The functions that can run, by index. */
  readonly functions = new Map<number, Uint8Array>()
  private readonly codes = new Map<number, Code>()
  private readonly calls = new Map<number, Set<string>>()

  constructor(
    readonly binary: KernelBinary,
    readonly known: KnownWord,
  ) {}

  codeOf(index: number): Code {
    let code = this.codes.get(index)
    if (code === undefined) {
      code = decode(this.binary.functions[index]!.body, this.binary.types)
      this.codes.set(index, code)
    }
    return code
  }

  /** The value of a global that never changes. */
  global(index: number): Known {
    const { isMutable, value } = this.binary.globals[index]!
    return isMutable ? undefined : value
  }

  /** Follows a call. Operands that are missing are not known. */
  call(index: number, operands: readonly Known[] = []): void {
    const calls = this.calls.get(index) ?? new Set()
    this.calls.set(index, calls)
    const told = calls.size < MOST_CALLS ? operands : []
    const key = told.join()
    if (calls.has(key)) return
    calls.add(key)
    const { type, localCount } = this.binary.functions[index]!
    const code = this.codeOf(index)
    const reached = this.functions.get(index) ?? new Uint8Array(code.count)
    this.functions.set(index, reached)
    const locals = type.parameters.map((_, i) => told[i])
    // Locals begin as zeros, which a float or a vector reads as unknown.
    for (let i = 0; i < localCount; i++) locals.push(0)
    new Walk(this, reached, locals, type.results.length).run(code.body)
  }
}

/** One run of a function. */
class Walk {
  private readonly stack: Known[] = []
  private readonly labels: Label[]

  constructor(
    private readonly reach: Reach,
    private readonly reached: Uint8Array,
    private locals: Known[],
    results: number,
  ) {
    this.labels = [{ isLoop: false, results, locals: null, values: [] }]
  }

  /** @returns whether it gets to the end */
  run(sequence: readonly Instruction[]): boolean {
    return sequence.every((instruction) => {
      this.reached[instruction.id]! |= Reached.Yes
      return this.step(instruction)
    })
  }

  private pop(): Known {
    return this.stack.pop()
  }

  private step(instruction: Instruction): boolean {
    const { op, immediate } = instruction
    switch (op) {
      case Op.unreachable:
      case Op.return:
        return false
      case Op.block:
      case Op.loop:
        return this.block(instruction)
      case Op.if:
        return this.either(instruction)
      case Op.br:
        this.branch(immediate)
        return false
      case Op.brIf:
        return this.branchIf(instruction)
      case Op.brTable:
        this.branchTo(instruction)
        return false
      case Op.call:
        this.call(immediate)
        return true
      case Op.callIndirect:
        this.callIndirect(immediate)
        return true
    }
    this.compute(instruction)
    return true
  }

  private block({ op, results, body }: Instruction): boolean {
    const isLoop = op === Op.loop
    // An iteration may find what the one before left.
    if (isLoop) for (const local of assignedIn(body)) this.locals[local] = undefined
    return this.labelled(isLoop, results, () => [this.run(body)])
  }

  /** Runs the parts of a block, each of which may get to its end. */
  private labelled(isLoop: boolean, results: number, run: () => Iterable<boolean>): boolean {
    const height = this.stack.length
    const label: Label = { isLoop, results, locals: null, values: [] }
    this.labels.push(label)
    for (const isAtEnd of run()) if (isAtEnd) this.leave(label)
    this.labels.pop()
    this.stack.length = height
    if (label.locals === null) return false
    this.locals = label.locals
    this.stack.push(...label.values)
    return true
  }

  private *arms({ id, body, otherwise }: Instruction, condition: Known): Iterable<boolean> {
    const [locals, height] = [this.locals, this.stack.length]
    for (const [isTaken, flag, arm] of [
      [condition !== 0, Reached.IsTrue, body],
      [condition === undefined || condition === 0, Reached.IsFalse, otherwise],
    ] as const) {
      if (!isTaken) continue
      this.reached[id]! |= flag
      this.locals = [...locals]
      this.stack.length = height
      yield this.run(arm)
    }
  }

  private either(instruction: Instruction): boolean {
    const condition = this.pop()
    return this.labelled(false, instruction.results, () => this.arms(instruction, condition))
  }

  /** Merges what is known here with what is known on other ways to the end of a block. */
  private leave(label: Label): void {
    const values = label.results === 0 ? [] : this.stack.slice(-label.results)
    label.values = label.locals === null ? values : merged(label.values, values)
    label.locals = label.locals === null ? [...this.locals] : merged(label.locals, this.locals)
  }

  private branch(depth: number): void {
    const label = this.labels.at(-1 - depth)
    if (label === undefined) throw internalError('a branch leaves its function')
    if (!label.isLoop) this.leave(label)
  }

  private branchIf({ id, immediate }: Instruction): boolean {
    const condition = this.pop()
    if (condition !== 0) {
      this.reached[id]! |= Reached.IsTrue
      this.branch(immediate)
    }
    if (condition !== undefined && condition !== 0) return false
    this.reached[id]! |= Reached.IsFalse
    return true
  }

  private branchTo({ depths }: Instruction): void {
    const place = this.pop()
    if (place === undefined) for (const depth of new Set(depths)) this.branch(depth)
    else this.branch(depths[place >>> 0] ?? depths.at(-1)!)
  }

  private call(index: number): void {
    const { parameters, results } = this.reach.binary.functions[index]!.type
    const operands = parameters.map(() => this.pop()).reverse()
    this.reach.call(index, operands)
    for (let i = 0; i < results.length; i++) this.stack.push(undefined)
  }

  /** The function is a step of a chain: see engine.ts, which knows all of them. */
  private callIndirect(type: number): void {
    const { parameters, results } = this.reach.binary.types[type]!
    for (let i = 0; i <= parameters.length; i++) this.pop()
    for (let i = 0; i < results.length; i++) this.stack.push(undefined)
  }

  private compute({ op, immediate }: Instruction): void {
    if (op === Op.localGet) this.stack.push(this.locals[immediate])
    else if (op === Op.localSet) this.locals[immediate] = this.pop()
    else if (op === Op.localTee) this.locals[immediate] = this.stack.at(-1)
    else if (op === Op.i32Const) this.stack.push(immediate)
    else if (op === Op.globalGet) this.stack.push(this.reach.global(immediate))
    else if (op === Op.select) this.select()
    else if (LOADS.has(op)) this.stack.push(this.load(op, this.pop(), immediate))
    else {
      const [operands, results] = arityOf(op)
      const [b, a] = [operands > 0 ? this.pop() : undefined, operands > 1 ? this.pop() : undefined]
      for (let i = 2; i < operands; i++) this.pop()
      if (results > 0) this.stack.push(folded(op, operands === 1 ? b : a, b))
    }
  }

  private select(): void {
    const condition = this.pop()
    const [second, first] = [this.pop(), this.pop()]
    if (condition === undefined) this.stack.push(first === second ? first : undefined)
    else this.stack.push(condition === 0 ? second : first)
  }

  private load(op: number, base: Known, offset: number): Known {
    if (base === undefined) return undefined
    const address = (base >>> 0) + offset
    const word = this.reach.known(address & ~3)
    if (word === undefined) return undefined
    return LOADS.get(op)!(word, 8 * (address & 3))
  }
}

/** What a load reads from a word, `shift` bits from its start. */
const LOADS: ReadonlyMap<number, (word: number, shift: number) => Known> = new Map([
  [Op.i32Load, (word: number, shift: number) => (shift === 0 ? word : undefined)],
  [Op.i32Load8S, (word: number, shift: number) => ((word >> shift) << 24) >> 24],
  [Op.i32Load8U, (word: number, shift: number) => (word >> shift) & 0xff],
  [Op.i32Load16S, (word: number, shift: number) => (shift > 16 ? undefined : ((word >> shift) << 16) >> 16)],
  [Op.i32Load16U, (word: number, shift: number) => (shift > 16 ? undefined : (word >> shift) & 0xffff)],
])

const assigned = new WeakMap<readonly Instruction[], ReadonlySet<number>>()

/** The locals that a sequence, or what it contains, assigns. */
function assignedIn(sequence: readonly Instruction[]): ReadonlySet<number> {
  let found = assigned.get(sequence)
  if (found === undefined) {
    const locals = new Set<number>()
    for (const { op, immediate, body, otherwise } of sequence) {
      if (op === Op.localSet || op === Op.localTee) locals.add(immediate)
      for (const inner of [body, otherwise]) for (const local of assignedIn(inner)) locals.add(local)
    }
    found = locals
    assigned.set(sequence, found)
  }
  return found
}

function merged(a: readonly Known[], b: readonly Known[]): Known[] {
  return a.map((value, i) => (value === b[i] ? value : undefined))
}

/** The int32 that an instruction computes from known ones. */
function folded(op: number, a: Known, b: Known): Known {
  if (a === undefined || b === undefined) return undefined
  const fold = FOLDS.get(op)
  const value = fold?.(a, b)
  return value === undefined ? undefined : Number(value) | 0
}

/** By instruction. One with one operand gets it twice. */
const FOLDS: ReadonlyMap<number, (a: number, b: number) => number | boolean | undefined> = new Map<
  number,
  (a: number, b: number) => number | boolean | undefined
>([
  [0x45, (a) => a === 0],
  [0x46, (a, b) => a === b],
  [0x47, (a, b) => a !== b],
  [0x48, (a, b) => a < b],
  [0x49, (a, b) => a >>> 0 < b >>> 0],
  [0x4a, (a, b) => a > b],
  [0x4b, (a, b) => a >>> 0 > b >>> 0],
  [0x4c, (a, b) => a <= b],
  [0x4d, (a, b) => a >>> 0 <= b >>> 0],
  [0x4e, (a, b) => a >= b],
  [0x4f, (a, b) => a >>> 0 >= b >>> 0],
  [0x6a, (a, b) => a + b],
  [0x6b, (a, b) => a - b],
  [0x6c, (a, b) => Math.imul(a, b)],
  [0x6d, (a, b) => (b === 0 ? undefined : Math.trunc(a / b))],
  [0x6e, (a, b) => (b === 0 ? undefined : Math.trunc((a >>> 0) / (b >>> 0)))],
  [0x6f, (a, b) => (b === 0 ? undefined : a % b)],
  [0x70, (a, b) => (b === 0 ? undefined : (a >>> 0) % (b >>> 0))],
  [0x71, (a, b) => a & b],
  [0x72, (a, b) => a | b],
  [0x73, (a, b) => a ^ b],
  [0x74, (a, b) => a << (b & 31)],
  [0x75, (a, b) => a >> (b & 31)],
  [0x76, (a, b) => a >>> (b & 31)],
])
