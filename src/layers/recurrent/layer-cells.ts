// Layers as cells: a layer of the user with `stateSize`, and a `call(input, states)` that returns the output and the new states, as the
// cells of Keras.

import { ArgumentError, quoted } from '../../core/errors'
import { flatten, isBranch, isRecord } from '../../core/tree'
import { Tensor } from '../../ops/tensor'
import { Variable } from '../../ops/variable'
import { buildByClass } from '../building'
import { statesFrom } from '../call-options'
import { Layer, type LayerBase } from '../layer'
import { callBuildOfClass, callMethod } from '../layer-like'
import { callByClass } from '../running'
import { TensorSpec, shapesOf } from '../spec'
import { changeTraits } from '../traits'
import { Cell, isStepOfCell, type CellOutput } from './cell'

/** Whether a layer says how large its states are. */
function hasStates(layer: unknown): layer is LayerBase {
  if (!(layer instanceof Layer) || !('stateSize' in layer)) return false
  const sizes: unknown[] = [layer.stateSize].flat()
  return sizes.length > 0 && sizes.every((size) => Number.isSafeInteger(size) && Number(size) > 0)
}

/** Whether a layer has what cells have: it is a Cell, or was adopted. */
function isCell(layer: object): layer is Cell {
  return 'stateSizes' in layer && 'initialState' in layer
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
  return isCell(layer) ? layer : adopted(layer)
}

/** The layer with the members of a cell. It is called and built with the record of a step, as a Cell is. */
function adopted(layer: LayerBase): Cell {
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(Cell.prototype)))
    if (!(name in layer)) Object.defineProperty(layer, name, property)
  changeTraits(layer, {
    callTree: (_layer, input, context) =>
      isStepOfCell(input)
        ? outputOf(layer, callMethod(layer, 'call', [input.input, [...input.state], context]))
        : callByClass(layer, input, context),
    buildTree(_layer, specs) {
      const input = isRecord(specs) ? specs['input'] : null
      if (input instanceof TensorSpec) callBuildOfClass(layer, [shapesOf(input), input])
      else buildByClass(layer, specs)
    },
  })
  const { getInitialState }: { getInitialState?: unknown } = Object.getPrototypeOf(layer)
  if (typeof getInitialState === 'function') {
    const value = (batch: number): readonly Tensor[] =>
      flatten<Tensor>(statesFrom(Reflect.apply(getInitialState, layer, [batch]), `${layer}: getInitialState`))
    Object.defineProperty(layer, 'initialState', { value, configurable: true, writable: true })
  }
  if (isCell(layer)) return layer
  throw new ArgumentError(`internal: ${layer} has no members of a cell`)
}

/** @throws ArgumentError for a result that is not an output and states */
function outputOf(layer: LayerBase, result: unknown): CellOutput {
  const [output, state] = Array.isArray(result) ? result.map(tensorOrTree) : partsIn(result)
  const states = isBranch(state) || state instanceof Tensor ? flatten<unknown>(state).map(tensorOrTree) : []
  const areTensors = states.every((each) => each instanceof Tensor)
  const length = isCell(layer) ? layer.stateSizes.length : 0
  if (output instanceof Tensor && states.length === length && areTensors) return { output, state: states }
  throw new ArgumentError(
    `${layer}: call(input, states) of a cell must return [output, states] with ${length} ${length === 1 ? 'state' : 'states'}`,
  )
}

/** The output and the states of a record. */
function partsIn(result: unknown): readonly unknown[] {
  return isRecord(result) ? [result['output'], result['state']].map(tensorOrTree) : []
}

function tensorOrTree(value: unknown): unknown {
  return value instanceof Variable ? value.value : value
}
