// How kernels are written, and dispatches of them before their addresses are known. The text of a kernel depends on the structure
// of its operands, not on their sizes: sizes, strides and addresses are in its record, so that kernels of one structure share
// a pipeline.

import { BYTES_PER_ELEMENT } from '../../core/dtypes'
import { isAddress, type Word } from '../ir/instruction'
import type { Address, Operand } from '../ir/operand'
import type { Sources } from './functions/sources'
import { isSamePlace } from './ranges'

/** Workgroups along each axis. */
export type Grid = readonly [x: number, y: number, z: number]

/** One or more kernels on the GPU. */
export interface Dispatch {
  /** The WGSL, without the functions that it calls and `main`. */
  readonly code: string
  /** The record of the kernels, in the order of its fields. */
  readonly words: readonly Word[]
  readonly grid: Grid
}

/**
 * The fields of a kernel's record by name: in WGSL, `p.NAME` is a number, an f32, or the index of an element in `memory`, for an operand
 * that of its first. The record does not have those that are undefined.
 */
export type RecordFields = Readonly<Record<string, Word | Operand | undefined>>

/** A variable in the memory of a workgroup. */
export interface Shared {
  /** In WGSL. */
  readonly type: string
  readonly bytes: number
}

const ELEMENT_BYTES = { f32: 4, i32: 4, u32: 4, vec2f: 8, vec4f: 16 }

export const arrayOf = (element: keyof typeof ELEMENT_BYTES, count: number): Shared => ({
  type: `array<${element}, ${count}>`,
  bytes: ELEMENT_BYTES[element] * count,
})

/** Elements that are neighbours in memory. No two threads of the kernel use the same one. */
export interface Elements {
  readonly count: number
  readonly addresses: readonly Address[]
}

/** The functions that a kernel calls at its elements: see couple.ts. */
export type Hook = 'beforeElement' | 'afterElement'
export type Hooks = Readonly<Partial<Record<Hook, Elements>>>

const hookNames: readonly Hook[] = ['beforeElement', 'afterElement']

/** The function of a hook. */
export const hookFunction = (hook: Hook, statements: string): string => `fn ${hook}(index: u32) {\n${statements}}`

/** The functions of hooks at which there are no other kernels yet. */
function emptyHooks(hooks: Hooks): Sources {
  const declared = hookNames.filter((hook) => hooks[hook] !== undefined)
  return Object.fromEntries(declared.map((hook) => [hook, hookFunction(hook, '')]))
}

/** How a kernel is written. */
export interface KernelText {
  readonly fields: RecordFields
  /** Threads per workgroup. Default 64. */
  readonly threads?: number
  /** Memory of a workgroup, by name. */
  readonly shared?: Readonly<Record<string, Shared>>
  /** The functions that only this kernel has. */
  readonly functions?: Sources
  /**
   * Where the body calls a function of an element's number: `beforeElement(i)` before it reads element i, `afterElement(i)` after it
   * has stored it. Each element once.
   */
  readonly hooks?: Hooks
  /** Only for a kernel with a thread for each element: what its thread uses only at `index`. */
  readonly elements?: Elements
  /**
   * The statements of one thread. They may use `memory`, `p`, `group` (the number of the workgroup), `thread` (the number of
   * the thread in it), `index` (the number of the thread in all), and the functions of functions.ts.
   */
  readonly body: string
}

/** A kernel that is not yet a dispatch: it may become one together with others. */
export interface Piece {
  readonly text: KernelText
  /** The number of workgroups; or of elements, if each has a thread, whatever the number of threads in a workgroup. */
  readonly size: number
  readonly isByElement: boolean
  /** If this word is not 0, the kernel does nothing; null if it runs in any case. */
  readonly unless: Word | null
}

/** Emits kernels that all stop for the same word. Those without workgroups are left out. */
export class Emitter {
  constructor(
    private readonly unless: Word | null,
    private readonly add: (piece: Piece) => void,
  ) {}

  /** A kernel that runs in `count` workgroups, whose number is `group`. */
  groups(count: number, text: KernelText): void {
    this.emit(count, false, text, { groupCount: count }, 'group >= p.groupCount')
  }

  /** A kernel with a thread for each of `count` elements, whose number is `index`. */
  over(count: number, text: Omit<KernelText, 'threads'>): void {
    this.emit(count, true, text, { count }, 'index >= p.count')
  }

  private emit(size: number, isByElement: boolean, text: KernelText, extent: RecordFields, isOutside: string): void {
    if (size === 0) return
    const body = `if (${isOutside}) { return; }\n${text.body}`
    const { functions, hooks = {} } = text
    this.add({
      text: { ...text, fields: { ...extent, ...text.fields }, functions: { ...emptyHooks(hooks), ...functions }, body },
      size,
      isByElement,
      unless: this.unless,
    })
  }

  /** A copy of consecutive bytes, unless they are there already. */
  copy(from: Address, to: Address, bytes: number): void {
    if (isSamePlace(from, to)) return
    this.over(bytes / BYTES_PER_ELEMENT, {
      fields: { source: from, to },
      body: 'memory[p.to + index] = memory[p.source + index];',
    })
  }
}

/** The words of a record as bits, and which of them are addresses. */
export function bitsOf(
  words: readonly Word[],
  resolve: (word: Extract<Word, { buffer: unknown }>) => number,
): Uint32Array {
  const bits = new Uint32Array(words.length)
  const floats = new Float32Array(bits.buffer)
  words.forEach((word, i) => {
    if (typeof word === 'number') bits[i] = word
    // Kernels count in elements.
    else if (isAddress(word)) bits[i] = resolve(word) >>> 2
    else floats[i] = word.float
  })
  return bits
}
