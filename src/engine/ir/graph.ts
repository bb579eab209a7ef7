// Graph, Node and Value: a traced function. Pure data; the meaning of nodes is in primitives/.

import type { PrimitiveAttributes, PrimitiveName } from './attributes'
import { dtypes, type DType } from '../../core/dtypes'
import { sizeOf, type Shape, type TensorType } from '../../core/shapes'

/** One tensor of a graph: an input, or an output of a node. Assigned once. */
export class Value implements TensorType {
  constructor(
    /** Unique within a graph. */
    readonly id: number,
    readonly shape: Shape,
    readonly dtype: DType,
    /** null for the graph's inputs. */
    readonly node: Node | null,
  ) {}
}

/** One application of a primitive. */
export interface Node<Name extends PrimitiveName = PrimitiveName> {
  readonly name: Name
  readonly attributes: PrimitiveAttributes[Name]
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  /** The node's origin in the user's model, such as `dense_1` or `dense_1/gradient`. */
  readonly scope: string
}

/** Whether a node applies one of these primitives. */
export function isNodeOf<Name extends PrimitiveName>(node: Node, ...names: readonly Name[]): node is Node<Name> {
  return names.some((name) => name === node.name)
}

/** The printed name: that of the primitive, or of the routine that it runs. */
export function titleOf({ name, attributes }: Node): string {
  return 'routine' in attributes ? attributes.routine.name : name
}

/** A place in linear memory that outlives a run: a weight, a slot, a counter. */
export interface Cell extends TensorType {
  readonly name: string
  readonly storage: CellStorage
  /** In bytes from the start of the storage. */
  readonly byteOffset: number
}

/** A block of linear memory. Cells that share one may overlap. */
export interface CellStorage {
  readonly address: number
  readonly byteLength: number
}

export interface Update {
  readonly cell: Cell
  readonly value: Value
}

/** A pure function from arguments and cells to outputs and new contents of cells. */
export interface Graph {
  /** The inputs of each run, in order. */
  readonly parameters: readonly Value[]
  /** The cells that are read, and the value of each one's content at the start. */
  readonly cells: ReadonlyMap<Cell, Value>
  /** In an order in which every value is computed before it is used. */
  readonly nodes: readonly Node[]
  readonly outputs: readonly Value[]
  /** Written after everything else. */
  readonly updates: readonly Update[]
  /** Larger than the ids of all values. */
  readonly idEnd: number
}

/** The bytes of all elements. */
function bytesOf({ shape, dtype }: TensorType): number {
  return dtypes[dtype].bytes * sizeOf(shape)
}

/** The end of the cell, in bytes from the start of the storage. */
export function endOfCell(cell: Cell): number {
  return cell.byteOffset + bytesOf(cell)
}

export function cellsOverlap(a: Cell, b: Cell): boolean {
  if (a.storage !== b.storage) return false
  return a.byteOffset < endOfCell(b) && b.byteOffset < endOfCell(a)
}

/** All results of a graph: its outputs and its updates. */
export function results(graph: Graph): Value[] {
  return [...graph.outputs, ...graph.updates.map((update) => update.value)]
}
