// The trees of a file as one table of nodes. A node has a feature, a threshold, and the next node for x ≤ threshold, for x > threshold and for
// NaN; other comparisons become this one. Leaves follow the other nodes and lead to themselves. trees.ts computes with it.

import type { Call } from '../../call'

/** How a node compares its feature with its value. The numbers are those of TreeEnsemble. */
export const MODES = [
  'BRANCH_LEQ',
  'BRANCH_LT',
  'BRANCH_GTE',
  'BRANCH_GT',
  'BRANCH_EQ',
  'BRANCH_NEQ',
  'BRANCH_MEMBER',
  'LEAF',
] as const
type Mode = (typeof MODES)[number]

/** @throws FormatError for a mode that is unknown */
export function modeNamed(call: Call, name: string): Mode {
  const mode = MODES.find((each) => each === name)
  if (mode !== undefined) return mode
  throw call.error(`a node compares by '${name}'`)
}

/** A node of a file that compares. */
export interface Split {
  readonly feature: number
  readonly mode: Exclude<Mode, 'LEAF'>
  readonly value: number
  /** The values of BRANCH_MEMBER. */
  readonly members?: readonly number[]
  readonly isTrueForNaN: boolean
  /** Keys of the next nodes. */
  readonly yes: string
  readonly no: string
}

/** A weight of a leaf for an output. */
export interface LeafWeight {
  readonly output: number
  readonly weight: number
}

/** The trees as a file has them. Keys name nodes; what is no split is a leaf. */
export interface Trees {
  readonly roots: readonly string[]
  readonly splits: ReadonlyMap<string, Split>
  readonly leaves: ReadonlyMap<string, readonly LeafWeight[]>
}

export interface Forest {
  readonly features: Int32Array
  readonly thresholds: Float32Array
  /** [node, 3]: the next node for x ≤ threshold, for x > threshold, and for NaN. */
  readonly next: Int32Array
  readonly roots: Int32Array
  /** The first leaf; all nodes behind it are leaves. */
  readonly firstLeaf: number
  /** The keys of the leaves, in their order. */
  readonly leaves: readonly string[]
  /** The comparisons on the longest path. */
  readonly depth: number
  readonly mostFeature: number
  readonly hasNaN: boolean
}

/** The largest float32 below x. */
function below(x: number): number {
  if (x === -Infinity || Number.isNaN(x)) return NaN
  if (x === 0) return -(2 ** -149)
  const [float, bits] = [new Float32Array([x]), new Int32Array(1)]
  new Uint8Array(bits.buffer).set(new Uint8Array(float.buffer))
  bits[0]! += x > 0 ? -1 : 1
  return new Float32Array(bits.buffer)[0]!
}

/** A node of the table before the others have numbers. */
interface Row {
  readonly feature: number
  readonly threshold: number
  /** Keys. */
  readonly next: readonly [low: string, high: string, nan: string]
}

/** Two nodes that lead to `yes` where x = value: x ≤ value, and not x ≤ the float before it. */
function equality(key: string, { feature, value, yes, no }: Split, nan: string): [string, Row][] {
  const inner = `${key}=`
  return [
    [key, { feature, threshold: below(value), next: [no, inner, nan] }],
    [inner, { feature, threshold: value, next: [yes, no, nan] }],
  ]
}

/** The rows of a split; the first has its key. */
function rowsOf(key: string, split: Split): [string, Row][] {
  const { feature, mode, value, members = [], isTrueForNaN, yes, no } = split
  const nan = isTrueForNaN ? yes : no
  // Nothing compares with NaN, but that it differs.
  if (Number.isNaN(value) && mode !== 'BRANCH_MEMBER') {
    const always = mode === 'BRANCH_NEQ' ? yes : no
    return [[key, { feature, threshold: 0, next: [always, always, mode === 'BRANCH_NEQ' ? yes : nan] }]]
  }
  switch (mode) {
    case 'BRANCH_LEQ':
      return [[key, { feature, threshold: value, next: [yes, no, nan] }]]
    case 'BRANCH_LT':
      return [[key, { feature, threshold: below(value), next: [yes, no, nan] }]]
    case 'BRANCH_GT':
      return [[key, { feature, threshold: value, next: [no, yes, nan] }]]
    case 'BRANCH_GTE':
      return [[key, { feature, threshold: below(value), next: [no, yes, nan] }]]
    case 'BRANCH_EQ':
      return equality(key, split, nan)
    // NaN differs from every value.
    case 'BRANCH_NEQ':
      return equality(key, { ...split, yes: no, no: yes }, yes)
    case 'BRANCH_MEMBER': {
      if (members.length === 0) return [[key, { feature, threshold: 0, next: [no, no, nan] }]]
      const keyAt = (i: number): string => (i === 0 ? key : `${key}+${i}`)
      return members.flatMap((member, i) => {
        const after = i + 1 < members.length ? keyAt(i + 1) : no
        return equality(keyAt(i), { ...split, value: member, no: after }, nan)
      })
    }
  }
}

/** @throws FormatError for trees whose nodes do not exist, or have a cycle */
export function forestOf(call: Call, { roots, splits, leaves }: Trees): Forest {
  const rows = new Map([...splits].flatMap(([key, split]) => rowsOf(key, split)))
  const isLeaf = (key: string): boolean => !rows.has(key)
  const all = new Set([...rows.values()].flatMap(({ next }) => next))
  for (const key of roots) all.add(key)
  const ends = [...all].filter(isLeaf)
  for (const key of ends) call.require(leaves.has(key), () => `there is no node ${key} of a tree`)
  const numbers = new Map([...rows.keys(), ...ends].map((key, i) => [key, i]))
  const count = numbers.size
  const [features, thresholds, next] = [new Int32Array(count), new Float32Array(count), new Int32Array(3 * count)]
  let hasNaN = false
  let i = 0
  for (const row of rows.values()) {
    features[i] = row.feature
    thresholds[i] = row.threshold
    next.set(
      row.next.map((key) => numbers.get(key)!),
      3 * i,
    )
    // A node that leads NaN to no other node needs no test for it: x ≤ threshold is false.
    hasNaN ||= row.next[2] !== row.next[1]
    i++
  }
  for (; i < count; i++) next.fill(i, 3 * i, 3 * i + 3)
  const mostFeature = features.reduce((most, each) => Math.max(most, each), 0)
  call.require(
    features.every((each) => each >= 0),
    () => 'a node has a feature below 0',
  )
  return {
    features,
    thresholds,
    next,
    roots: Int32Array.from(roots, (key) => numbers.get(key)!),
    firstLeaf: rows.size,
    leaves: ends,
    depth: depthOf(
      call,
      next,
      rows.size,
      roots.map((key) => numbers.get(key)!),
    ),
    mostFeature,
    hasNaN,
  }
}

/** The comparisons on the longest path from the roots: nodes in the order in which all before them are done. */
function depthOf(call: Call, next: Int32Array, firstLeaf: number, roots: readonly number[]): number {
  const depths = new Int32Array(next.length / 3).fill(-1)
  const OPEN = -2
  let most = 0
  for (const root of roots) {
    const stack = [root]
    while (stack.length > 0) {
      const node = stack.at(-1)!
      if (node >= firstLeaf) depths[node] = 0
      if (depths[node]! >= 0) {
        stack.pop()
        continue
      }
      const children = [...next.subarray(3 * node, 3 * node + 3)]
      if (depths[node] === OPEN) {
        depths[node] = 1 + Math.max(...children.map((child) => depths[child]!))
        stack.pop()
        continue
      }
      depths[node] = OPEN
      for (const child of children) {
        call.require(depths[child] !== OPEN, () => 'a tree has a cycle')
        if (depths[child]! < 0 && child >= firstLeaf) depths[child] = 0
        else if (depths[child]! < 0) stack.push(child)
      }
    }
    most = Math.max(most, depths[root]!)
  }
  return most
}
