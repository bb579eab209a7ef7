// Loss, the base class: targets and predictions → one value per sample → a scalar. Formulas are in files by family, weights
// and masks in sample-weights.ts.

import { requireArguments } from '../core/arguments'
import { ArgumentError, ShapeError, formatShape, quoted, restate, restating } from '../core/errors'
import {
  Configured,
  choice,
  configured,
  nullAs,
  nullable,
  option,
  optionFrom,
  text,
  type ConfiguredClass,
  type OptionInputs,
  type OptionTable,
  type InOrder,
} from '../core/options'
import { camelCase, classNameOf } from '../core/registry'
import type { Shape, TensorType } from '../core/shapes'
import { asTensor, tensorOrNothing, type TensorLike } from '../ops/convert'
import { Tensor } from '../ops/tensor'
import { valueOf } from '../ops/variable'
import { alignRanks, reduceWeighted, type Reduction } from './sample-weights'

/** A reduction in any spelling; null is 'none'. */
const reduction = nullAs(choice<Reduction>('sumOverBatchSize', 'mean', 'meanWithSampleWeight', 'sum', 'none'), 'none')

const lossOptions = () => ({
  /** How the values of a batch are reduced. Default 'sumOverBatchSize', their mean. */
  reduction: option(reduction, 'sumOverBatchSize'),
  /** The name in errors. Default: from the class. */
  name: optionFrom<string, string | null>(text, (loss) => camelCase(classNameOf(loss))),
  /** Losses are computed in float32. */
  dtype: option(nullable(choice('float32')), null),
})
export type LossOptions = OptionInputs<ReturnType<typeof lossOptions>>

/** The values of a loss, and the mask of those that count. */
export interface Counted {
  readonly values: Tensor
  readonly mask: Tensor | undefined
}

const LossBase = (configured as InOrder<['reduction', 'name', 'dtype']>)(Configured, lossOptions)

/** For a custom loss, subclass it and write `call` with ops; a plain function works as well. */
export abstract class Loss extends LossBase {
  /**
   * One value per sample: yTrue [batch, …], yPred [batch, …] → [batch, …]. Both have the same rank: [batch] is reshaped
   * to [batch, 1] before the call.
   */
  abstract call(yTrue: Tensor, yPred: Tensor): Tensor

  /** The values, and a mask of those that count; undefined if all count. */
  protected counted(yTrue: Tensor, yPred: Tensor, mask: Tensor | undefined): Counted {
    return { values: this.call(yTrue, yPred), mask }
  }

  /**
   * The reduced loss.
   * @param sampleWeight multiplies the values before the reduction: one per sample, [batch], or one per value
   * @param mask true for the predictions that count: in the shape of the values, or of their first axes. Means include
   * only these
   * @throws ShapeError for weights or a mask that do not fit the values
   */
  apply(yTrue: TensorLike, yPred: TensorLike, sampleWeight?: TensorLike | null, mask?: TensorLike | null): Tensor {
    requireArguments('apply', arguments, 4)
    return restating(
      (message) => `Loss '${this.name}': ${message}`,
      () => {
        const [y, p] = alignRanks(asTensor(yTrue, 'yTrue'), asTensor(yPred, 'yPred'))
        const { values: compared, mask: held } = this.compare(y, p, tensorOrNothing(mask, 'mask'))
        const values = valueOf(compared)
        if (!(values instanceof Tensor)) throw new ArgumentError(`must return a Tensor, received ${quoted(values)}`)
        return reduceWeighted(values, tensorOrNothing(sampleWeight, 'sampleWeight'), held, this.reduction)
      },
    )
  }

  /** Calls `counted`. Adds the shapes of targets and predictions to shape errors of its ops. */
  private compare(y: Tensor, p: Tensor, mask: Tensor | undefined): Counted {
    try {
      return this.counted(y, p, mask)
    } catch (error) {
      if (error instanceof ShapeError)
        restate(
          error,
          `${error.message.replace(/\.$/, '')}. Targets are ${formatShape(y.shape)}, predictions ${formatShape(p.shape)}.`,
        )
      throw error
    }
  }

  /**
   * Checks all targets before training begins.
   * @throws DataError or ShapeError for the first invalid target
   */
  checkTargets(_yTrue: Tensor, _outputShape: Shape): void {}

  /** What a batch counts in the mean of the losses of an epoch: its rows, as in Keras. @internal */
  batchWeight(rows: number, _sampleWeight: Tensor | null): number | Tensor {
    return rows
  }

  /** Whether outputs are scores or probabilities of classes along the last axis, which a softmax relates. @internal */
  get relatesClasses(): boolean {
    return false
  }

  /** The shape and dtype that targets for an output shape should have. @internal */
  targetsFor(outputShape: Shape): TensorType {
    return { shape: outputShape, dtype: 'float32' }
  }
}

/** A loss whose formula is a function. `lossOf` makes classes of it. */
export abstract class FormulaLoss extends Loss {
  declare protected readonly formula: (yTrue: Tensor, yPred: Tensor, options: object) => Tensor

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return this.formula(yTrue, yPred, this)
  }
}

/**
 * The members of a class of a formula. `source` is the function itself. `formula` takes the options as a third argument, which a function
 * without options would refuse.
 */
export function membersOf<Options>(
  source: (yTrue: Tensor, yPred: Tensor, options?: Options) => Tensor,
  table: OptionTable | undefined,
): object {
  return { source, formula: table === undefined ? (yTrue: Tensor, yPred: Tensor) => source(yTrue, yPred) : source }
}

/** Whether a class of a loss or metric has the formula of a function, as `MeanSquaredError` has that of `meanSquaredError`. */
export function isOfFormula(of: { readonly prototype: object }, formula: unknown): boolean {
  return (of.prototype as { readonly source?: unknown }).source === formula
}

/**
 * The base of the loss class for a function: it has the function's formula and options.
 * @param base checks the targets
 * @param table the options of the function; without it, the function takes only targets and predictions
 * @param positional the options that may be passed by position, as in `configured`
 */
/* @__NO_SIDE_EFFECTS__ */
export function lossOf<
  Base extends typeof FormulaLoss,
  Table extends OptionTable = Readonly<Record<never, never>>,
  const Names extends readonly string[] = [],
>(
  base: Base,
  formula: (yTrue: TensorLike, yPred: TensorLike, options?: NoInfer<OptionInputs<Table>>) => Tensor,
  table?: Table,
  positional?: Names,
): ConfiguredClass<Base, Table, Names>
/* @__NO_SIDE_EFFECTS__ */
export function lossOf(
  base: typeof FormulaLoss,
  formula: (yTrue: Tensor, yPred: Tensor, options?: never) => Tensor,
  table?: OptionTable,
  positional?: readonly string[],
): object {
  return configured(base, () => table ?? {}, positional, membersOf(formula, table))
}

/** The type of `lossOf` for a class whose positional options are the first of its table, see `InOrder`. */
export type LossInOrder<Names extends readonly string[]> = <
  Base extends typeof FormulaLoss,
  Table extends OptionTable = Readonly<Record<never, never>>,
>(
  base: Base,
  formula: (yTrue: TensorLike, yPred: TensorLike, options?: NoInfer<OptionInputs<Table>>) => Tensor,
  table?: Table,
) => ConfiguredClass<Base, Table, Names>
