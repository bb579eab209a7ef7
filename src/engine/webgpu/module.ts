// The WGSL of a dispatch, from its kernels. Every kernel is a function of the module; names that only it has end with its number.

import type { Word } from '../ir/instruction'
import type { Operand } from '../ir/operand'
import type { Dispatch, Grid, KernelText, Piece, RecordFields, Shared } from './dispatch'
import { functionsIn, type Abilities } from './functions'
import type { Sources } from './functions/sources'

/** The threads of a workgroup whose kernel does not choose them. */
export const THREADS = 64

const isOperand = (field: Word | Operand): field is Operand => typeof field === 'object' && 'address' in field

const typeOf = (word: Word): string => (typeof word === 'object' && 'float' in word ? 'f32' : 'u32')

/** The numbers and addresses of fields. */
export function wordsOf(fields: RecordFields): [name: string, word: Word][] {
  return Object.entries(fields).flatMap(([name, field]): [string, Word][] => {
    if (field === undefined) return []
    return [[name, isOperand(field) ? field.address : field]]
  })
}

/** Names in WGSL with other names for them. The name of a field begins with `p.`. */
export type Names = ReadonlyMap<string, string>

/** WGSL with other names. */
export function renamed(code: string, names: Names): string {
  return code.replaceAll(/\b(?:p\.)?[A-Za-z]\w*/g, (name) => names.get(name) ?? name)
}

/** The memory of a workgroup, by name. */
export type SharedMemory = Map<string, Shared>

/** The names of the memory of a kernel: kernels use the same memory, if its type is the same, because a workgroup runs only one kernel. */
function namesOfShared({ shared = {} }: KernelText, suffix: string, memory: SharedMemory): Names {
  const names = new Map<string, string>()
  const taken = new Set<string>()
  for (const [name, variable] of Object.entries(shared)) {
    const known = [...memory].find(([other, { type }]) => type === variable.type && !taken.has(other))
    const [other] = known ?? [name + suffix]
    memory.set(other, variable)
    taken.add(other)
    names.set(name, other)
  }
  return names
}

/** The memory of a workgroup that runs one of several kernels. */
export function sharedMemoryOf(texts: readonly KernelText[]): SharedMemory {
  const memory: SharedMemory = new Map()
  texts.forEach((text, i) => namesOfShared(text, suffixOf(i), memory))
  return memory
}

const suffixOf = (i: number): string => (i === 0 ? '' : `_of${i}`)

interface Suffixed {
  readonly words: readonly [name: string, word: Word][]
  readonly functions: Sources
  readonly body: string
}

/** A kernel whose own names end with `suffix`. Adds its memory to that of the workgroup. */
export function suffixed(text: KernelText, suffix: string, memory: SharedMemory): Suffixed {
  const { functions = {}, body } = text
  const words = wordsOf(text.fields).map(([name, word]): [string, Word] => [name + suffix, word])
  const names = new Map([
    ...namesOfShared(text, suffix, memory),
    ...Object.keys(functions).map((name) => [name, name + suffix] as const),
    ...Object.keys(text.fields).map((name) => [`p.${name}`, `p.${name}${suffix}`] as const),
  ])
  const own = Object.entries(functions).map(([name, code]) => [name + suffix, renamed(code, names)])
  return { words, functions: Object.fromEntries(own), body: renamed(body, names) }
}

/** The largest number of workgroups along an axis that every device has. */
const MOST_GROUPS = 65535

/** A grid of `groups` workgroups, whose numbers are `group` in the kernel. */
function gridOf(groups: number): Grid {
  if (groups <= MOST_GROUPS) return [groups, 1, 1]
  const rows = Math.ceil(groups / MOST_GROUPS)
  return [Math.ceil(groups / rows), rows, 1]
}

const NO_STOP = { declaration: '', statement: '' }
const STOP = { declaration: '', statement: 'if (memory[p.stopFlag] != 0u) { return; }\n' }
/** For kernels whose threads may wait for each other: WGSL must see that all of them stop. */
const STOP_TOGETHER = {
  declaration: 'var<workgroup> stopped: u32;\n',
  statement: `if (thread == 0u) { stopped = memory[p.stopFlag]; }
if (workgroupUniformLoad(&stopped) != 0u) { return; }
`,
}

/** One dispatch of pieces that stop for the same word: the first workgroups run the first piece, and so on. */
export function dispatchOf(pieces: readonly Piece[]): Dispatch {
  const withGroups = pieces.find(({ isByElement }) => !isByElement)
  const threads = withGroups?.text.threads ?? THREADS
  const words: [name: string, word: Word][] = []
  const memory: SharedMemory = new Map()
  const functions: string[] = []
  let groups = 0
  let call = ''
  pieces.forEach(({ text, isByElement, size }, i) => {
    if (i > 0) words.push([`firstGroup${i}`, groups])
    call =
      i === 0
        ? 'piece0(group, thread);'
        : `if (group < p.firstGroup${i}) { ${call} } else { piece${i}(group - p.firstGroup${i}, thread); }`
    const piece = suffixed(text, suffixOf(i), memory)
    words.push(...piece.words)
    functions.push(
      ...Object.values(piece.functions),
      `fn piece${i}(group: u32, thread: u32) {\nlet index = group * ${threads}u + thread;\n${piece.body}\n}`,
    )
    groups += isByElement ? Math.ceil(size / threads) : size
  })
  const { unless } = pieces[0]!
  if (unless !== null) words.push(['stopFlag', unless])
  const stop = withGroups === undefined ? STOP : STOP_TOGETHER
  const { declaration, statement } = unless === null ? NO_STOP : stop
  const code = `struct Record { ${words.map(([name, word]) => `${name}: ${typeOf(word)}`).join(', ')} }
@group(0) @binding(0) var<storage, read_write> memory: array<u32>;
@group(0) @binding(1) var<uniform> p: Record;
${[...memory].map(([name, { type }]) => `var<workgroup> ${name}: ${type};\n`).join('')}${declaration}${functions.join('\n')}
const THREADS = ${threads}u;
fn run(group: u32, thread: u32) {
${statement}${call}
}
`
  return { code, words: words.map(([, word]) => word), grid: gridOf(groups) }
}

const BUILTINS =
  '@builtin(workgroup_id) groupId: vec3u, @builtin(num_workgroups) groupCounts: vec3u, @builtin(local_invocation_index) thread: u32'

/** What functions of subgroups need. */
const SUBGROUPS = {
  // The number of turns of a loop depends on `subgroupSize`, and WGSL does not know that all threads have the same value of it.
  head: `enable subgroups;
diagnostic(off, subgroup_uniformity);
var<private> subgroup: u32;
var<private> subgroupSize: u32;
`,
  builtins: ', @builtin(subgroup_id) subgroupNumber: u32, @builtin(subgroup_size) threadsTogether: u32',
  statement: 'subgroup = subgroupNumber;\nsubgroupSize = threadsTogether;\n',
}
const NO_SUBGROUPS = { head: '', builtins: '', statement: '' }

/** The complete WGSL of a dispatch, with the functions that it calls, for a device with these abilities. */
export function moduleOf(code: string, abilities: Abilities): string {
  const functions = functionsIn(code, abilities)
  const { head, builtins, statement } = functions.includes('subgroup') ? SUBGROUPS : NO_SUBGROUPS
  return `${head}${functions}${code}
@compute @workgroup_size(THREADS) fn main(${BUILTINS}${builtins}) {
${statement}run(groupId.y * groupCounts.x + groupId.x, thread);
}
`
}
