// One dispatch of the GPU before its addresses are known, and how kernels write one. The text of a kernel depends on the structure
// of its operands, not on their sizes: sizes, strides and addresses are in its record, so that kernels of one structure share
// a pipeline.

import { BYTES_PER_ELEMENT } from '../../core/dtypes'
import { isAddress, type Word } from '../ir/instruction'
import type { Address, Operand } from '../ir/operand'
import { functionsIn } from './functions'

/** Workgroups along each axis. */
export type Grid = readonly [x: number, y: number, z: number]

/** One kernel on the GPU. */
export interface Dispatch {
  /** The complete WGSL. */
  readonly code: string
  /** The record of the kernel, in the order of its fields. */
  readonly words: readonly Word[]
  readonly grid: Grid
}

/**
 * The fields of a kernel's record by name: in WGSL, `p.NAME` is a number, an f32, or the index of an element in `memory`, for an operand
 * that of its first. The record does not have those that are undefined.
 */
export type RecordFields = Readonly<Record<string, Word | Operand | undefined>>

/** How a kernel is written. */
export interface KernelText {
  readonly fields: RecordFields
  /** Threads per workgroup. Default 64. */
  readonly threads?: number
  /** Declarations of the module, such as workgroup memory. */
  readonly declarations?: string
  /**
   * The statements of one thread. They may use `memory`, `p`, `group` (the number of the workgroup), `thread` (the number of
   * the thread in it), `index` (the number of the thread in all), and the functions of functions.ts.
   */
  readonly body: string
}

/** The largest number of workgroups along an axis that every device has. */
const MOST_GROUPS = 65535

/** A grid of `groups` workgroups, whose numbers are `group` in the kernel. */
function gridOf(groups: number): Grid {
  if (groups <= MOST_GROUPS) return [groups, 1, 1]
  const rows = Math.ceil(groups / MOST_GROUPS)
  return [Math.ceil(groups / rows), rows, 1]
}

const isOperand = (field: Word | Operand): field is Operand => typeof field === 'object' && 'address' in field

const typeOf = (word: Word): string => (typeof word === 'object' && 'float' in word ? 'f32' : 'u32')

const NO_STOP = { declaration: '', statement: '' }
const STOP = { declaration: '', statement: 'if (memory[p.stopFlag] != 0u) { return; }\n' }
/** For kernels whose threads wait for each other: WGSL must see that all of them stop. */
const STOP_TOGETHER = {
  declaration: 'var<workgroup> stopped: u32;\n',
  statement: `if (thread == 0u) { stopped = memory[p.stopFlag]; }
if (workgroupUniformLoad(&stopped) != 0u) { return; }
`,
}

/** A kernel that runs in `groups` workgroups. Its text must do nothing in others, because grids are rectangles. */
function kernelIn(groups: number, text: KernelText, unless: Word | null): Dispatch {
  const { threads = 64, declarations = '', body } = text
  const names: string[] = []
  const words: Word[] = []
  for (const [name, field] of Object.entries({ ...text.fields, stopFlag: unless ?? undefined })) {
    if (field === undefined) continue
    names.push(name)
    words.push(isOperand(field) ? field.address : field)
  }
  const called = functionsIn(declarations + body)
  const meets = [called, declarations, body].some((part) => part.includes('workgroupBarrier'))
  const stop = meets ? STOP_TOGETHER : STOP
  const { declaration, statement } = unless === null ? NO_STOP : stop
  const code = `struct Record { ${names.map((name, i) => `${name}: ${typeOf(words[i]!)}`).join(', ')} }
@group(0) @binding(0) var<storage, read_write> memory: array<u32>;
@group(0) @binding(1) var<uniform> p: Record;
${called}${declaration}${declarations}
@compute @workgroup_size(${threads}) fn main(@builtin(workgroup_id) groupId: vec3u, @builtin(num_workgroups) groupCounts: vec3u, @builtin(local_invocation_index) thread: u32) {
let group = groupId.y * groupCounts.x + groupId.x;
let index = group * ${threads}u + thread;
${statement}${body}
}
`
  return { code, words, grid: gridOf(groups) }
}

/** Emits kernels that all stop for the same word. Those without workgroups are left out. */
export class Emitter {
  constructor(
    /** If this word is not 0, the kernels do nothing; null if they run in any case. */
    private readonly unless: Word | null,
    private readonly add: (dispatch: Dispatch) => void,
  ) {}

  /** A kernel that runs in `count` workgroups, whose number is `group`. */
  groups(count: number, { fields, body, ...text }: KernelText): void {
    const checked = `if (group >= p.groupCount) { return; }\n${body}`
    if (count > 0)
      this.add(kernelIn(count, { ...text, fields: { groupCount: count, ...fields }, body: checked }, this.unless))
  }

  /** A kernel with a thread for each of `count` elements, whose number is `index`. */
  over(count: number, { fields, body, ...text }: KernelText): void {
    const groups = Math.ceil(count / (text.threads ?? 64))
    const checked = `if (index >= p.count) { return; }\n${body}`
    if (count > 0) this.add(kernelIn(groups, { ...text, fields: { count, ...fields }, body: checked }, this.unless))
  }

  /** A copy of consecutive bytes, unless they are there already. */
  copy(from: Address, to: Address, bytes: number): void {
    if (from.buffer === to.buffer && from.offset === to.offset) return
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
