// The nodes of one graph of a file while it is written, and the names that all graphs of the file share.

import { encodeUtf8 } from '../../../core/text'
import { isNumbers } from '../../containers/json'
import type { AttributeProto, GraphProto, NodeProto } from '../proto'
import type { HostTensor } from '../tensors'
import { rawOf } from '../structure'
import { types, type ElementType } from '../types'
import type { Sparse } from '../wire'

/** A float attribute; plain numbers are integers. */
export interface FloatAttribute {
  readonly float: number
}

/** A node that is written. Names in it may be replaced at the end. */
export interface WrittenNode extends Sparse<NodeProto> {
  readonly inputs: string[]
  readonly outputs: string[]
  /** The nodes of the graphs among its attributes. */
  readonly graphs: readonly (readonly WrittenNode[])[]
}

/** A graph inside a node. */
export interface InnerGraph extends Sparse<GraphProto> {
  readonly nodes: readonly WrittenNode[]
}

export type AttributeValue =
  | number
  | FloatAttribute
  | string
  | readonly number[]
  | readonly string[]
  | HostTensor
  | InnerGraph

export type Attributes = Readonly<Record<string, AttributeValue>>

/** The numbers of the types of attributes. */
const KINDS = { float: 1, integer: 2, string: 3, tensor: 4, graph: 5, integers: 7, strings: 8 }

const isList = (value: AttributeValue): value is readonly number[] | readonly string[] => Array.isArray(value)

function attribute(name: string, value: AttributeValue): Sparse<AttributeProto> {
  if (typeof value === 'number') return { name, integer: value, type: KINDS.integer }
  if (typeof value === 'string') return { name, string: encodeUtf8(value), type: KINDS.string }
  if (isList(value)) {
    if (isNumbers(value)) return { name, integers: value, type: KINDS.integers }
    return { name, strings: value.map((each) => encodeUtf8(each)), type: KINDS.strings }
  }
  if ('float' in value) return { name, float: value.float, type: KINDS.float }
  if ('data' in value) return { name, tensor: tensorProto('', value), type: KINDS.tensor }
  return { name, graph: value, type: KINDS.graph }
}

export const tensorProto = (name: string, host: HostTensor) => ({
  dims: host.shape,
  type: types[host.type].code,
  name,
  raw: rawOf(host),
})

const isGraph = (value: AttributeValue): value is InnerGraph => typeof value === 'object' && 'nodes' in value

/** The names of values, which are unique in a file. */
export class Names {
  private readonly taken = new Map<string, number>()

  /** The name itself, or with a number if it is taken. */
  unique(name: string): string {
    const count = this.taken.get(name)
    if (count === undefined) {
      this.taken.set(name, 1)
      return name
    }
    this.taken.set(name, count + 1)
    return this.unique(`${name}_${count}`)
  }
}

export class Scope {
  readonly nodes: WrittenNode[] = []
  /** The path of the layer whose nodes are written. */
  where = ''

  constructor(
    private readonly names: Names,
    readonly outer: Scope | null,
  ) {}

  /** A name for a value of the layer whose nodes are written. */
  name(title: string): string {
    return this.names.unique(this.where === '' ? title : `${this.where}/${title}`)
  }

  /** Adds a node. @returns the names of its results */
  all(type: string, inputs: readonly string[], count: number, attributes: Attributes = {}): string[] {
    const outputs = Array.from({ length: count }, () => this.name(type))
    this.nodes.push({
      inputs: [...inputs],
      outputs,
      name: outputs[0]!,
      type,
      attributes: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      graphs: Object.values(attributes).flatMap((value) => (isGraph(value) ? [value.nodes] : [])),
    })
    return outputs
  }

  /** Adds a node with one result. */
  node(type: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.all(type, inputs, 1, attributes)[0]!
  }
}

/** The declared type of an input or an output. @param dims numbers, or names of open extents */
export const valueInfo = (name: string, type: ElementType, dims: readonly (number | string)[]) => ({
  name,
  type: {
    tensor: {
      type: types[type].code,
      shape: { dims: dims.map((each) => (typeof each === 'number' ? { value: each } : { name: each })) },
    },
  },
})
