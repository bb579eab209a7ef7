// What cells with one kernel, one recurrent kernel and one bias share: options, weights and dropout masks. A cell declares the
// blocks of its weights in a GateForm, and has its formulas in its own file.

import { merged } from '../../core/merged'
import {
  autoOrBoolean,
  boolean,
  extent,
  idle,
  integer,
  nullable,
  number,
  option,
  required,
  unread,
  type OptionTable,
  type ValuesOf,
} from '../../core/options'
import type { Shape } from '../../core/shapes'
import { typed } from '../../core/tree'
import { mixesUnits, type ActivationFunction } from '../../parts/activations'
import type { InitializerIdentifier } from '../../parts/initializers'
import { add, multiply } from '../../ops/numpy/elementwise'
import { matmul } from '../../ops/linalg/linalg'
import type { SeedGenerator } from '../../ops/random/generator'
import { dropout as dropped } from '../../ops/random/random'
import { ones, reshape, swapAxes } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { requireExtents, requireSameRank } from '../checks'
import { activation, constraint, initializer, regularizer } from '../kinds'
import type { BatchShape } from '../spec'
import type { Cell, CellInput, DropoutMasks } from './cell'
import { unitAxes, type UnitFlow } from '../units'
import { addWeightTo, requireBuilt } from '../weight-lists'
import { exactly } from '../../core/tuples'

const rate = /* @__PURE__ */ number({ min: 0, max: 1 })

/** Options of weights, activation and dropout. */
const weightRows = () => ({
  /** Default tanh. */
  activation: option(activation, 'tanh'),
  /** Default true. */
  useBias: option(boolean, true),
  /** Default glorotUniform. */
  kernelInitializer: option(initializer, 'glorotUniform'),
  /** Default orthogonal. */
  recurrentInitializer: option(initializer, 'orthogonal'),
  /** Default zeros. */
  biasInitializer: option(initializer, 'zeros'),
  /** A penalty on the kernel. Default null. */
  kernelRegularizer: option(regularizer, null),
  /** Applied to the kernel after every update. Default null. */
  kernelConstraint: option(constraint, null),
  /** A penalty on the recurrent kernel. Default null. */
  recurrentRegularizer: option(regularizer, null),
  /** Applied to the recurrent kernel after every update. Default null. */
  recurrentConstraint: option(constraint, null),
  /** A penalty on the bias. Default null. */
  biasRegularizer: option(regularizer, null),
  /** Applied to the bias after every update. Default null. */
  biasConstraint: option(constraint, null),
  /** The probability that an element of the input becomes 0 in training, the same in all steps. Default 0. */
  dropout: option(rate, 0),
  /** The same for the state. Default 0. */
  recurrentDropout: option(rate, 0),
  /** The seed of the dropout masks. Default null: derived from setRandomSeed. */
  seed: option(nullable(integer()), null),
})
type WeightRows = ReturnType<typeof weightRows>
export type WeightTable = { [Name in keyof WeightRows]: WeightRows[Name] }
export const weightOptions: () => WeightTable = weightRows

/** Options of a cell with dense products, and of the layer that calls it. */
const cellRows = () =>
  merged(
    {
      /** The size of the output and of the state. */
      units: required(extent),
    },
    weightOptions(),
  )
type CellRows = ReturnType<typeof cellRows>
export type CellTable = { [Name in keyof CellRows]: CellRows[Name] }
export const cellOptions: () => CellTable = cellRows

/** Options of layers with such a cell that the cell does not have. */
const implementationRows = () => ({
  /** Changes nothing: there is one implementation. true warns. Default 'auto'. */
  useCudnn: unread(idle(autoOrBoolean, ['auto', false], 'there is one implementation'), 'auto'),
})
type ImplementationRows = ReturnType<typeof implementationRows>
export type ImplementationTable = { [Name in keyof ImplementationRows]: ImplementationRows[Name] }
export const implementationOptions: () => ImplementationTable = implementationRows

/** Options of such a cell with several gates. */
const gateRows = () =>
  merged(cellOptions(), {
    /** The activation of the gates. Default sigmoid. */
    recurrentActivation: option(activation, 'sigmoid'),
    /**
     * With 1, or with any recurrentDropout, each gate has its own dropout masks; with 2 all gates share one. Default 2.
     */
    implementation: option(integer({ min: 1, max: 2 }), 2),
  })
type GateRows = ReturnType<typeof gateRows>
export type GateTable = { [Name in keyof GateRows]: GateRows[Name] }
export const gateOptions: () => GateTable = gateRows

/** The cell's options, read from a layer that has the same ones. */
export function optionsOfCell<Table extends OptionTable>(
  layer: ValuesOf<Table> & { readonly trainable: boolean },
  table: Table,
) {
  const values = Object.keys(table).map((name) => [name, Reflect.get(layer, name)])
  return { ...typed<ValuesOf<Table>>(Object.fromEntries(values)), trainable: layer.trainable }
}

/** The values of the options of weights and dropout. */
type WeightValues = ValuesOf<ReturnType<typeof weightOptions>>

/** The weights of a cell that is built; the last axis of each has a block per gate. */
interface CellWeights {
  /** [n, gates · width], with the axes of a window before. */
  readonly kernel: Variable
  /** [width, gates · width], with the axes of a window before. */
  readonly recurrentKernel: Variable
  /** null when useBias is false. */
  readonly bias: Variable | null
}

/** The blocks of columns in the weights of a cell, as they follow from its options. */
export interface GateForm<Of> {
  /** The number of blocks. */
  readonly gates: number
  /** The size of a block. */
  width(cell: Of): number
  /** The axes of both kernels before the last two. Default none. */
  window?(cell: Of): Shape
  /** Default [gates · width]. */
  biasShape?(cell: Of): Shape
  /** Default: the option biasInitializer. */
  initialBias?(cell: Of): InitializerIdentifier
  /** Whether each gate has its own dropout masks. Default false. */
  separateMasks?(cell: Of): boolean
}

/** The weights of a cell and its dropout masks. The formulas of the cell are in its `call`. */
export class GateWeights<Of extends Cell & WeightValues> {
  private weights: CellWeights | null = null

  constructor(
    private readonly cell: Of,
    private readonly form: GateForm<Of>,
  ) {}

  get kernel(): Variable {
    return requireBuilt(this.cell, this.weights).kernel
  }

  get recurrentKernel(): Variable {
    return requireBuilt(this.cell, this.weights).recurrentKernel
  }

  /** null when useBias is false, and before the cell is built. */
  get bias(): Variable | null {
    return this.weights?.bias ?? null
  }

  /** Creates the weights. @param input the shape of a step */
  build(input: BatchShape): void {
    const { cell, form } = this
    const width = form.width(cell)
    const columns = form.gates * width
    const window = form.window?.(cell) ?? []
    this.weights = {
      kernel: addWeightTo(cell, {
        name: 'kernel',
        shape: [...window, input.at(-1)!, columns],
        initializer: cell.kernelInitializer,
        regularizer: cell.kernelRegularizer,
        constraint: cell.kernelConstraint,
      }),
      recurrentKernel: addWeightTo(cell, {
        name: 'recurrent_kernel',
        shape: [...window, width, columns],
        initializer: cell.recurrentInitializer,
        regularizer: cell.recurrentRegularizer,
        constraint: cell.recurrentConstraint,
      }),
      bias: cell.useBias
        ? addWeightTo(cell, {
            name: 'bias',
            shape: form.biasShape?.(cell) ?? [columns],
            initializer: form.initialBias?.(cell) ?? cell.biasInitializer,
            regularizer: cell.biasRegularizer,
            constraint: cell.biasConstraint,
          })
        : null,
    }
  }

  /** The dropout masks of a sequence, `input` and `state`: of their shapes, with a leading axis of gates for separate masks. */
  drawMasks(seed: SeedGenerator, batch: number, input: Shape): DropoutMasks {
    const { cell, form } = this
    const before = form.separateMasks?.(cell) === true ? [form.gates] : []
    const mask = (p: number, shape: BatchShape): Tensor =>
      dropped(ones([...before, batch, ...shape.map((extent) => extent ?? 1)]), p, { seed })
    return {
      ...(cell.dropout > 0 ? { input: mask(cell.dropout, input) } : {}),
      ...(cell.recurrentDropout > 0 ? { state: mask(cell.recurrentDropout, cell.outputShape(input)) } : {}),
    }
  }

  /** x · kernel + bias + h · recurrentKernel, of a step x and the first state h: [batch, gates · width] */
  sum(step: CellInput, training: boolean): Tensor {
    const masks = masksOf(this.cell, step, training)
    return add(
      withBias(product(step.input, this.kernel, masks.input), this.bias),
      product(step.state[0]!, this.recurrentKernel, masks.state),
    )
  }
}

/** @throws ShapeError for an input of a cell that its weights do not fit */
export function requireCellInput(cell: Cell, shape: BatchShape, built: BatchShape, path: string): void {
  requireSameRank(cell, shape, built, path)
  requireExtents(cell, shape, built, [-1], path)
}

/** Whether each gate has its own dropout masks. */
export function hasSeparateMasks({
  implementation,
  recurrentDropout,
}: ValuesOf<ReturnType<typeof gateOptions>>): boolean {
  return implementation === 1 || recurrentDropout > 0
}

/** The masks of a step. Outside of a sequence, each call draws new ones. */
export function masksOf(
  cell: Cell,
  { input, dropout }: CellInput,
  training: boolean,
): { readonly input?: Tensor; readonly state?: Tensor } {
  return training ? (dropout ?? cell.dropoutMasks(input.shape[0]!, input.shape.slice(1))) : {}
}

/** A cell with a block of columns for each gate: kernel [n, gates · units], recurrentKernel [units, gates · units]. */
interface Gated {
  readonly units: number
  readonly activation: ActivationFunction
  readonly kernel: Variable
  readonly recurrentKernel: Variable
  readonly bias: Variable | null
}

/** The units of all gates. `gates` are the functions applied to each unit in a gate; the activation comes last. */
export function flowOfUnits(cell: Gated, ...gates: readonly ActivationFunction[]): UnitFlow {
  const { units: count, activation, kernel, recurrentKernel, bias } = cell
  const blocks = kernel.shape.at(-1)! / count
  const made = {
    count,
    optionsFor: (units: number) => ({ units }),
    incoming: unitAxes(-1, kernel, recurrentKernel, bias).map((axis) => ({ ...axis, blocks })),
    outgoing: unitAxes(0, recurrentKernel),
    activation,
    mixed: [activation, ...gates].some(mixesUnits),
  }
  return { kind: 'makes', units: made, from: unitAxes(0, kernel) }
}

/**
 * (x with its dropout mask) · kernel: x [batch, n] → [batch, columns].
 * @param mask [batch, n]; or [gates, batch, n] for a separate mask per block of columns
 */
export function product(x: Tensor, kernel: Tensor | Variable, mask: Tensor | undefined): Tensor {
  if (mask === undefined) return matmul(x, kernel)
  const kept = multiply(x, mask)
  if (mask.rank === 2) return matmul(kept, kernel)
  const [gates, batch, n] = exactly(mask.shape, 3)
  // [gates, batch, n] · [gates, n, units]
  const blocks = matmul(kept, swapAxes(reshape(kernel, [n, gates, -1]), 0, 1))
  return reshape(swapAxes(blocks, 0, 1), [batch, -1])
}

/** x + bias, if there is one. */
export function withBias(x: Tensor, bias: Tensor | Variable | null): Tensor {
  return bias === null ? x : add(x, bias)
}
