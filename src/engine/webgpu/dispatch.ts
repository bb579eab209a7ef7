// One dispatch of the GPU before its addresses are known, and how kernels write one. The text of a kernel depends on the structure
// of its operands, not on their sizes: sizes, strides and addresses are in its record, so that kernels of one structure share
// a pipeline.

import { BYTES_PER_ELEMENT } from '../../core/dtypes'
import { isAddress, type Word } from '../ir/instruction'
import type { Address, Operand } from '../ir/operand'
import { functionsIn } from './functions'

/** Workgroups along each axis. */
export type Grid = readonly [x: number, y: number, z: number]

/** One or more kernels on the GPU. */
export interface Dispatch {
  /** The complete WGSL. */
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

/** A kernel that is not yet a dispatch: it may become one together with others. */
export interface Piece {
  readonly text: KernelText
  /** The number of workgroups; or of elements, if each has a thread, whatever the number of threads in a workgroup. */
  readonly size: number
  readonly isByElement: boolean
  /** If this word is not 0, the kernel does nothing; null if it runs in any case. */
  readonly unless: Word | null
}

const THREADS = 64

/** The threads of workgroups that run these pieces. */
const threadsOf = (pieces: readonly Piece[]): number =>
  pieces.find(({ isByElement }) => !isByElement)?.text.threads ?? THREADS

/** The numbers and addresses of a piece by their names. */
export function wordsOf({ text }: Piece): [name: string, word: Word][] {
  return Object.entries(text.fields).flatMap(([name, field]): [string, Word][] => {
    if (field === undefined) return []
    return [[name, isOperand(field) ? field.address : field]]
  })
}

/** The declarations of a text, one by one. */
export const declarationsIn = ({ declarations = '' }: KernelText): string[] => declarations.split(/^(?=fn |var<)/m)

/**
 * Adds the declarations of piece `i` to others, and returns its function. The names in a piece get its number, unless it is the first;
 * workgroup memory of the same type is shared, because a workgroup runs only one piece.
 */
function functionOf({ text }: Piece, i: number, threads: number, declared: Set<string>): string {
  const fresh = declarationsIn(text).filter((each) => !(each.startsWith('var<') && declared.has(each.trim())))
  const names = fresh.flatMap((each) => /^(?:fn|var<workgroup>) (\w+)/.exec(each)?.[1] ?? [])
  const own = new RegExp(['\\bp\\.\\w+', ...names.map((name) => `\\b${name}\\b`)].join('|'), 'g')
  const renamed = (part: string): string => (i === 0 ? part : part.replaceAll(own, `$&_of${i}`))
  for (const each of fresh) declared.add(renamed(each).trim())
  return `fn piece${i}(group: u32, thread: u32) {
let index = group * ${threads}u + thread;
${renamed(text.body)}
}`
}

const NO_STOP = { declaration: '', statement: '' }
const STOP = { declaration: '', statement: 'if (memory[p.stopFlag] != 0u) { return; }\n' }
/** For kernels whose threads wait for each other: WGSL must see that all of them stop. */
const STOP_TOGETHER = {
  declaration: 'var<workgroup> stopped: u32;\n',
  statement: `if (thread == 0u) { stopped = memory[p.stopFlag]; }
if (workgroupUniformLoad(&stopped) != 0u) { return; }
`,
}

/** One dispatch of pieces that stop for the same word: the first workgroups run the first piece, and so on. */
export function dispatchOf(pieces: readonly Piece[]): Dispatch {
  const threads = threadsOf(pieces)
  const words: [name: string, word: Word][] = []
  const declared = new Set<string>()
  const functions: string[] = []
  let groups = 0
  let call = ''
  pieces.forEach((piece, i) => {
    const start = i === 0 ? '' : ` - p.firstGroup${i}`
    if (i > 0) {
      words.push([`firstGroup${i}`, groups])
      call = `if (group < p.firstGroup${i}) { ${call} } else { piece${i}(group${start}, thread); }`
    } else call = 'piece0(group, thread);'
    words.push(...wordsOf(piece).map(([name, word]): [string, Word] => [i === 0 ? name : `${name}_of${i}`, word]))
    functions.push(functionOf(piece, i, threads, declared))
    groups += piece.isByElement ? Math.ceil(piece.size / threads) : piece.size
  })
  const { unless } = pieces[0]!
  if (unless !== null) words.push(['stopFlag', unless])
  const own = [...declared, ...functions].join('\n')
  const called = functionsIn(own)
  const stop = (called + own).includes('workgroupBarrier') ? STOP_TOGETHER : STOP
  const { declaration, statement } = unless === null ? NO_STOP : stop
  const code = `struct Record { ${words.map(([name, word]) => `${name}: ${typeOf(word)}`).join(', ')} }
@group(0) @binding(0) var<storage, read_write> memory: array<u32>;
@group(0) @binding(1) var<uniform> p: Record;
${called}${declaration}${own}
@compute @workgroup_size(${threads}) fn main(@builtin(workgroup_id) groupId: vec3u, @builtin(num_workgroups) groupCounts: vec3u, @builtin(local_invocation_index) thread: u32) {
let group = groupId.y * groupCounts.x + groupId.x;
${statement}${call}
}
`
  return { code, words: words.map(([, word]) => word), grid: gridOf(groups) }
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
    this.add({ text: { ...text, fields: { ...extent, ...text.fields }, body }, size, isByElement, unless: this.unless })
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
