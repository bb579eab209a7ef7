// Masks as tensors of Keras's graph. Keras 3 passes the mask that a tensor carries to a call only if the call has no other tensor: a
// recurrent layer that gets initial states needs its mask as an argument. So does a layer after Concatenate, whose mask Keras computes
// with an op that it names 'concatenate', as the layer is often named: the file could not be opened.

import type { DType } from '../../core/dtypes'
import { classNameOf } from '../../core/registry'
import type { MaskTrail } from '../../layers/masks'
import { Merge } from '../../layers/merging/merge'
import { isSymbol, type LayerCall } from '../../layers/symbol'
import { LayerGraph, type GraphCall } from '../../models/layer-graph'
import { symbolsByKey } from '../../models/graph-order'
import { Tensor } from '../../ops/tensor'
import { maskTrailOf, replayedBy, traitsOf } from '../../layers/traits'

/** A call of an op: its arguments are symbols or constants. */
export interface OperationCall {
  readonly name: string
  readonly op: string
  readonly input: readonly unknown[]
  /** That of the first result. */
  readonly dtype: DType
}

/** Adds an op to the file. @returns its result */
export type MakeOperation = (op: string, name: string, ...operands: readonly unknown[]) => Tensor

/** A call with its masks. */
export type StatedCall = Pick<LayerCall, 'input' | 'options'>

/** A mask that a tensor carries. */
interface Mask {
  /** Whether a Concatenate takes part in it. */
  readonly isJoined: boolean
  /** The mask in the graph, whose ops are added with the first call; null if the graph has no tensors to compute it from. */
  readonly tensor: () => Tensor | null
}

const ELSEWHERE: Mask = { isJoined: false, tensor: () => null }

export class StatedMasks {
  private readonly masks: ReadonlyMap<Tensor, Mask>

  constructor(
    graph: LayerGraph,
    private readonly writer: { refuse(why: string): null },
    private readonly make: MakeOperation,
  ) {
    this.masks = this.masksIn(graph, [], (symbol) => symbol)
  }

  /** A call with the masks that Keras does not pass. */
  stated(call: GraphCall): StatedCall {
    const { layer, input, options } = call
    const { mask, initialState } = options
    const hasStates = initialState !== undefined && initialState !== null
    if (hasStates ? mask !== undefined : mask !== undefined && mask !== null) return call
    const found = symbolsByKey(input).map((symbol) => this.masks.get(symbol) ?? null)
    if (found.every((each) => each === null)) return call
    if (mask === null) {
      this.writer.refuse(`'${layer.name}' would get the mask of its input, which mask: null takes away`)
      return call
    }
    const readsMask = traitsOf(layer).readsMask?.(layer) === true || replayedBy(layer) instanceof LayerGraph
    if (!hasStates && !(readsMask && found.some((each) => each?.isJoined))) return call
    const tensors = found.map((each) => each?.tensor() ?? null)
    if (found.some((each, i) => each !== null && tensors[i] === null)) {
      if (hasStates)
        this.writer.refuse(
          `the mask of the input of '${layer.name}', which has initial states, must be given as an option of the call`,
        )
      return call
    }
    return { input, options: { ...options, mask: input instanceof Tensor ? tensors[0]! : tensors } }
  }

  /**
   * The masks of all masked tensors of a graph.
   * @param ofInputs the masks of its inputs
   * @param known the tensor of the file's graph that a symbol is, or null
   */
  private masksIn(
    { inputs, calls }: LayerGraph,
    ofInputs: readonly (Mask | null)[],
    known: (symbol: Tensor) => Tensor | null,
  ): ReadonlyMap<Tensor, Mask> {
    const masks = new Map<Tensor, Mask>()
    const put = (symbol: Tensor | undefined, mask: Mask | null): void =>
      void (symbol !== undefined && mask !== null && masks.set(symbol, mask))
    symbolsByKey(inputs).forEach((symbol, i) => put(symbol, ofInputs[i] ?? null))
    for (const call of calls) {
      const { layer, outputs } = call
      const operands = symbolsByKey(call.input)
      const ofOperands = operands.map((symbol, i) => givenMask(call, i, known) ?? masks.get(symbol) ?? null)
      const graph = replayedBy(layer)
      if (graph instanceof LayerGraph) {
        const places = symbolsByKey(graph.inputs)
        const outer = new Map(places.map((symbol, i) => [symbol, operands[i]!]))
        const inner = this.masksIn(graph, ofOperands, (symbol) => {
          const operand = outer.get(symbol)
          return operand === undefined ? null : known(operand)
        })
        symbolsByKey(graph.outputs).forEach((symbol, i) => put(outputs[i], inner.get(symbol) ?? null))
        continue
      }
      const mask = this.maskAfter(call, operands, ofOperands, known)
      put(outputs[0], mask)
      if (Reflect.get(layer, 'mergeMode') === null) put(outputs[1], mask)
    }
    return masks
  }

  /** The mask of the result of a call, as Keras computes it. */
  private maskAfter(
    { layer }: GraphCall,
    operands: readonly Tensor[],
    ofOperands: readonly (Mask | null)[],
    known: (symbol: Tensor) => Tensor | null,
  ): Mask | null {
    // An empty trail in place of each mask shows which of them the layer passes on.
    const trails = ofOperands.map((mask): MaskTrail | null => (mask === null ? null : new Map()))
    const trail = maskTrailOf(layer, operands, trails)
    if (trail === null) return null
    const name = `${layer.name}_mask`
    const passed = ofOperands[trails.indexOf(trail)]
    if (passed !== undefined) return passed
    const isJoined = ofOperands.some((mask) => mask?.isJoined)
    const inputs = (): Tensor[] | null => complete(operands.map(known))
    switch (classNameOf(layer)) {
      case 'Embedding':
        return maskFrom(false, inputs, ([x]) => this.make('notEqual', name, x, 0))
      // A step is masked if all its features have the value.
      case 'Masking':
        return maskFrom(false, inputs, ([x]) =>
          this.make('any', name, this.make('notEqual', name, x, propertyOf(layer, 'maskValue')), -1),
        )
      case 'Concatenate':
        return maskFrom(true, inputs, (all) => {
          const rows = complete(all.map((x, i) => this.wideMask(name, x, ofOperands[i] ?? null)))
          return rows && this.make('any', name, this.make('concatenate', name, rows, propertyOf(layer, 'axis')), -1)
        })
      default:
        if (!(layer instanceof Merge)) return ELSEWHERE
        return maskFrom(
          isJoined,
          () => complete(ofOperands.map((mask) => mask?.tensor() ?? null)),
          (all) =>
            all.every(({ rank }) => rank === all[0]!.rank)
              ? all.reduce((a, b) => this.make('logicalOr', name, a, b))
              : null,
        )
    }
  }

  /** The mask of each element of an operand of Concatenate; null if Keras broadcasts the mask otherwise. */
  private wideMask(name: string, x: Tensor, passed: Mask | null): Tensor | null {
    if (passed === null) return this.make('onesLike', name, x, { dtype: 'bool' })
    const mask = passed.tensor()
    if (mask === null || mask.rank === x.rank) return mask
    if (mask.rank !== x.rank - 1) return null
    const zeros = this.make('zerosLike', name, x, { dtype: 'bool' })
    return this.make('logicalOr', name, this.make('expandDims', name, mask, -1), zeros)
  }
}

/** A mask that is computed once, from tensors that the graph may not have. */
function maskFrom(
  isJoined: boolean,
  operands: () => readonly Tensor[] | null,
  compute: (operands: readonly Tensor[]) => Tensor | null,
): Mask {
  let made: Tensor | null | undefined
  const tensor = (): Tensor | null => {
    if (made === undefined) {
      const all = operands()
      made = all && compute(all)
    }
    return made
  }
  return { isJoined, tensor }
}

/** A list without null; null if it has one. */
function complete(list: readonly (Tensor | null)[]): Tensor[] | null {
  const all = list.filter((each) => each !== null)
  return all.length < list.length ? null : all
}

/** An option of a layer of some class. */
function propertyOf(layer: object, name: string): unknown {
  return Reflect.get(layer, name)
}

/** The mask that a call has as an option, for an operand. */
function givenMask({ options: { mask } }: GraphCall, i: number, known: (symbol: Tensor) => Tensor | null): Mask | null {
  const option: unknown = Array.isArray(mask) ? mask[i] : mask
  if (option === undefined || option === null) return null
  return option instanceof Tensor
    ? { isJoined: false, tensor: () => (isSymbol(option) ? known(option) : option) }
    : ELSEWHERE
}
