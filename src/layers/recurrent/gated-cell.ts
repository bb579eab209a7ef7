// GatedCell: what cells of one kernel, one recurrent kernel and one bias have in common: their options, weights and dropout
// masks. What a cell computes with them is in its own file.

import type { OptionTable, ValuesOf } from '../../core/options'
import { boolean, configured, count, integer, nullable, number, option, required } from '../../core/options'
import type { Shape } from '../../core/shapes'
import { typed } from '../../core/tree'
import type { InitializerIdentifier } from '../../initializers'
import { add, multiply } from '../../ops/elementwise'
import { matmul } from '../../ops/linalg'
import { SeedGenerator, dropout as dropped } from '../../ops/random'
import { ones, reshape, swapAxes } from '../../ops/shape'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { activation, initializer, regularizer } from '../kinds'
import type { ShapesOf } from '../spec'
import type { CellInput, DropoutMasks } from './cell'
import { Cell } from './cell'

const rate = /* @__PURE__ */ number({ min: 0, max: 1 })

/** Options of every such cell, and of the layer that calls it. */
export const cellOptions = () => ({
  /** The size of output and state. */
  units: required(count),
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
  /** A penalty on the recurrent kernel. Default null. */
  recurrentRegularizer: option(regularizer, null),
  /** A penalty on the bias. Default null. */
  biasRegularizer: option(regularizer, null),
  /** The probability with which an element of the input becomes 0 in training, the same in all steps. Default 0. */
  dropout: option(rate, 0),
  /** The same for the state. Default 0. */
  recurrentDropout: option(rate, 0),
  /** Fixes what is dropped; from setRandomSeed's when left out. */
  seed: option(nullable(integer()), null),
})

/** Options of cells with several gates. */
export const gateOptions = () => ({
  ...cellOptions(),
  /** Of the gates. Default sigmoid. */
  recurrentActivation: option(activation, 'sigmoid'),
  /** With 1, or any recurrentDropout, each gate has dropout masks of its own; with 2 all share one. Default 2. */
  implementation: option(integer({ min: 1, max: 2 }), 2),
})

/** The options of a cell, of a layer that has the same ones. */
export function optionsOfCell<Table extends OptionTable>(layer: ValuesOf<Table> & { readonly trainable: boolean }, table: Table) {
  const own = Object.keys(table).map((name) => [name, layer[name]])
  return { ...typed<ValuesOf<Table>>(Object.fromEntries(own)), trainable: layer.trainable }
}

/** kernel [n, gates · units], recurrentKernel [units, gates · units] and a bias: a block of columns for each gate. */
export abstract class GatedCell extends configured(Cell, cellOptions, 'units') {
  private readonly generator = new SeedGenerator(this.seed ?? undefined, `${this.name}/seedGenerator`)
  private kernelVariable: Variable | null = null
  private recurrentVariable: Variable | null = null
  private biasVariable: Variable | null = null

  /** How many blocks of columns the kernels have. */
  protected abstract readonly gates: number

  /** Whether each gate has dropout masks of its own. */
  protected get hasMaskPerGate(): boolean {
    return false
  }

  protected get biasShape(): Shape {
    return [this.gates * this.units]
  }

  /** What the bias begins with. */
  protected get initialBias(): InitializerIdentifier {
    return this.biasInitializer
  }

  get stateSize(): number | readonly number[] {
    return this.units
  }

  /** [n, gates · units] */
  get kernel(): Variable {
    return this.requireBuilt(this.kernelVariable)
  }

  /** [units, gates · units] */
  get recurrentKernel(): Variable {
    return this.requireBuilt(this.recurrentVariable)
  }

  /** null when useBias is false. */
  get bias(): Variable | null {
    return this.biasVariable
  }

  override build({ input }: ShapesOf<CellInput>): void {
    const { units, gates } = this
    this.kernelVariable = this.addWeight({
      name: 'kernel',
      shape: [input.at(-1)!, gates * units],
      initializer: this.kernelInitializer,
      regularizer: this.kernelRegularizer,
    })
    this.recurrentVariable = this.addWeight({
      name: 'recurrent_kernel',
      shape: [units, gates * units],
      initializer: this.recurrentInitializer,
      regularizer: this.recurrentRegularizer,
    })
    if (this.useBias) this.biasVariable = this.addWeight({ name: 'bias', shape: this.biasShape, initializer: this.initialBias, regularizer: this.biasRegularizer })
  }

  /** `input` and `state`: [batch, size], or [gates, batch, size]. */
  override dropoutMasks(batch: number, features: number): DropoutMasks {
    const gates = this.hasMaskPerGate ? [this.gates] : []
    const mask = (p: number, size: number): Tensor => dropped(ones([...gates, batch, size]), p, { seed: this.generator })
    return {
      ...(this.dropout > 0 ? { input: mask(this.dropout, features) } : {}),
      ...(this.recurrentDropout > 0 ? { state: mask(this.recurrentDropout, this.units) } : {}),
    }
  }

  /** The masks of a step. Outside of a sequence each call draws for itself. */
  protected masksOf({ input, dropout }: CellInput, training: boolean): { readonly input?: Tensor; readonly state?: Tensor } {
    return training ? (dropout ?? this.dropoutMasks(input.shape[0]!, input.shape[1]!)) : {}
  }

  /**
   * x · kernel with what a mask drops of x: x [batch, n] → [batch, columns].
   * @param mask [batch, n]; or [gates, batch, n], then each block of columns sees its own x
   */
  protected product(x: Tensor, kernel: Tensor | Variable, mask: Tensor | undefined): Tensor {
    if (mask === undefined) return matmul(x, kernel)
    const kept = multiply(x, mask)
    if (mask.rank === 2) return matmul(kept, kernel)
    const [gates, batch, n] = mask.shape as readonly [number, number, number]
    // [gates, batch, n] · [gates, n, units]
    const blocks = matmul(kept, swapAxes(reshape(kernel, [n, gates, -1]), 0, 1))
    return reshape(swapAxes(blocks, 0, 1), [batch, -1])
  }
}

/** x + bias, where there is one. */
export function withBias(x: Tensor, bias: Tensor | Variable | null): Tensor {
  return bias === null ? x : add(x, bias)
}
