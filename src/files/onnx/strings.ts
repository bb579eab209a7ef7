// The strings of a file. While a graph is traced, a string is its number in the vocabulary of the file, and a string that the file lacks is
// −1: no kernel computes with strings. Outputs of strings are numbers of labels.

import { utf8Text } from '../../core/text'
import type { FunctionProto, GraphProto, NodeProto, TensorProto } from './proto'
import { graphsIn } from './nodes'
import { types } from './types'

/** The numbers of the strings of a file. */
export type Vocabulary = ReadonlyMap<string, number>

/** The strings of string tensors as numbers. */
const numbers = /* @__PURE__ */ new WeakMap<TensorProto, Int32Array>()

/** The elements of a tensor of strings, as numbers of the vocabulary of its file. */
export function numbersOf(proto: TensorProto): Int32Array {
  return numbers.get(proto) ?? new Int32Array(0)
}

const isText = ({ type }: TensorProto): boolean => type === types.string.code

/** The lists of strings that are classes or categories. */
const LISTS = ['cats_strings', 'classes_strings', 'classlabels_strings', 'keys_strings', 'values_strings']
/** The lists of strings that a node returns. */
const RETURNED = ['classlabels_strings', 'values_strings', 'cats_strings', 'classes_strings']

/** What LabelEncoder returns for an unknown key by default. */
export const UNUSED = '_Unused'

function textsIn(node: NodeProto, names: readonly string[]): string[] {
  const found = node.attributes.flatMap(({ name, strings }) => (names.includes(name) ? strings.map(utf8Text) : []))
  const absent = node.attributes.find(({ name }) => name === 'default_string')?.string
  const hasDefault = found.length > 0 && ['LabelEncoder', 'CategoryMapper'].includes(node.type)
  return hasDefault ? [...found, absent == null ? UNUSED : utf8Text(absent)] : found
}

const tensorsIn = (node: NodeProto): TensorProto[] => node.attributes.flatMap(({ tensor }) => tensor ?? [])

/** Numbers all strings of a file; null if it has none. */
export function vocabularyOf(
  graph: GraphProto,
  functions: ReadonlyMap<string, FunctionProto>,
  hasInputs: boolean,
): Vocabulary | null {
  const found = new Map<string, number>()
  const add = (texts: readonly string[]): void => {
    for (const each of texts) if (!found.has(each)) found.set(each, found.size)
  }
  let hasTensors = false
  const addTensor = (proto: TensorProto): void => {
    if (!isText(proto)) return
    hasTensors = true
    const texts = proto.strings.map(utf8Text)
    add(texts)
    numbers.set(
      proto,
      Int32Array.from(texts, (each) => found.get(each)!),
    )
  }
  const visit = (nodes: readonly NodeProto[]): void => {
    for (const node of nodes) {
      add(textsIn(node, LISTS))
      tensorsIn(node).forEach(addTensor)
      for (const inner of graphsIn(node)) {
        inner.initializers.forEach(addTensor)
        visit(inner.nodes)
      }
    }
  }
  graph.initializers.forEach(addTensor)
  visit(graph.nodes)
  for (const { nodes } of functions.values()) visit(nodes)
  return hasInputs || hasTensors || found.size > 0 ? found : null
}

/** Operators whose result has elements of some operands. */
const MOVING: Readonly<Record<string, readonly number[]>> = {
  ArrayFeatureExtractor: [0],
  Concat: [0, 1, 2, 3, 4, 5, 6, 7],
  Expand: [0],
  Flatten: [0],
  Gather: [0],
  GatherElements: [0],
  GatherND: [0],
  Identity: [0],
  Reshape: [0],
  Slice: [0],
  Squeeze: [0],
  Tile: [0],
  Transpose: [0],
  Unsqueeze: [0],
  Where: [1, 2],
}

/** What numbers of an output, or its columns, stand for. */
export type Labels = readonly (string | number)[]

/** The labels of the outputs that have some: strings that an output can be, and the classes of the columns of a ZipMap. */
export function outputLabels({ nodes, initializers, outputs }: GraphProto): ReadonlyMap<string, Labels> {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name): [string, NodeProto] => [name, node])))
  const held = new Map(initializers.map((each) => [each.name, each]))
  const stringsOf = (name: string): string[] => {
    const [seen, found, open] = [new Set<string>(), new Set<string>(), [name]]
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (seen.has(at)) continue
      seen.add(at)
      const [node, tensor] = [makers.get(at), held.get(at)]
      const kept = tensor === undefined ? [] : [tensor]
      const tensors = node?.type === 'Constant' ? tensorsIn(node) : kept
      const texts = node === undefined ? [] : textsIn(node, RETURNED)
      for (const each of [...tensors.filter(isText).flatMap(({ strings }) => strings.map(utf8Text)), ...texts])
        found.add(each)
      if (node !== undefined && texts.length === 0 && Object.hasOwn(MOVING, node.type))
        open.push(...MOVING[node.type]!.flatMap((i) => node.inputs[i] ?? []))
    }
    return [...found]
  }
  return new Map(
    outputs.flatMap(({ name }): [string, Labels][] => {
      const node = makers.get(name)
      const columns =
        node?.type === 'ZipMap' ? node.attributes.find((each) => each.name === 'classlabels_int64s') : undefined
      const labels = columns === undefined || columns.integers.length === 0 ? stringsOf(name) : [...columns.integers]
      return labels.length > 0 ? [[name, labels]] : []
    }),
  )
}
