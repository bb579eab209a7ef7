// Layers as cells: a layer of the user with `stateSize`, and a `call(input, states)` that returns the output and the new states, as the
// cells of Keras.

import { ArgumentError, quoted } from '../../core/errors'
import { flatten, isBranch, isRecord, typed, type Tree } from '../../core/tree'
import { Tensor } from '../../ops/tensor'
import { Variable } from '../../ops/variable'
import type { CallContext } from '../context'
import { Layer, type LayerBase } from '../layer'
import { shapesOf, type TensorSpec } from '../spec'
import { Cell, isStepOfCell, type CellOutput } from './cell'

/** Whether a layer says how large its states are. */
function hasStates(layer: unknown): layer is LayerBase {
  if (!(layer instanceof Layer) || !('stateSize' in layer)) return false
  const sizes: unknown[] = [layer.stateSize].flat()
  return sizes.length > 0 && sizes.every((size) => Number.isSafeInteger(size) && Number(size) > 0)
}

/**
 * A layer as a cell: a Cell itself; other layers with `stateSize` get what cells have, with `call(input, states)` as one step.
 * @throws ArgumentError for other layers
 */
export function asCell(layer: unknown, where: string): Cell {
  if (layer instanceof Cell) return layer
  if (!hasStates(layer))
    throw new ArgumentError(
      `${where} must be a cell, a subclass of Cell, received ${layer instanceof Layer ? String(layer) : quoted(layer)}. Another layer needs stateSize, and call(input, states) that returns [output, states]`,
    )
  if (!('stateSizes' in layer)) adopt(layer)
  return typed(layer)
}

/** The methods of a layer that calls and builds it: a Cell gets the record of a step. */
interface Inner {
  callTree(input: Tree<unknown>, context: CallContext): unknown
  buildTree(specs: Tree<TensorSpec>): void
}

function adopt(layer: LayerBase): void {
  const own = typed<Inner>(layer)
  const [callTree, buildTree] = [own.callTree, own.buildTree]
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(Cell.prototype)))
    if (!(name in layer)) Object.defineProperty(layer, name, property)
  define(layer, 'callTree', (input: Tree<unknown>, context: CallContext) =>
    isStepOfCell(input)
      ? outputOf(layer, Reflect.apply(layer.call, layer, [input.input, [...input.state], context]))
      : callTree.call(layer, input, context),
  )
  define(layer, 'buildTree', (specs: Tree<TensorSpec>) => {
    if (!isStepOfCell(specs)) return buildTree.call(layer, specs)
    const { input } = typed<{ readonly input: TensorSpec }>(specs)
    const { build } = Object.getPrototypeOf(layer) as LayerBase
    build.call(layer, typed(shapesOf(input)), typed(input))
  })
  if (!('getInitialState' in Object.getPrototypeOf(layer))) return
  const initial = (batch: number): readonly Tensor[] => flatten(typed<Cell>(layer).getInitialState(batch))
  define(layer, 'initialState', initial)
}

function define(layer: LayerBase, name: string, value: unknown): void {
  Object.defineProperty(layer, name, { value, configurable: true, writable: true })
}

/** @throws ArgumentError for a result that is not an output and states */
function outputOf(layer: LayerBase, result: unknown): CellOutput {
  const isTensor = (value: unknown): value is Tensor => value instanceof Tensor || value instanceof Variable
  const [output, state]: readonly unknown[] = Array.isArray(result)
    ? result
    : isRecord(result)
      ? [result['output'], result['state']]
      : []
  const states = isBranch(state) || isTensor(state) ? flatten<unknown>(state as Tree<unknown>) : []
  const { length } = typed<Cell>(layer).stateSizes
  if (!isTensor(output) || states.length !== length || !states.every(isTensor))
    throw new ArgumentError(
      `${layer}: call(input, states) of a cell must return [output, states] with ${length} ${length === 1 ? 'state' : 'states'}`,
    )
  return { output, state: states }
}
