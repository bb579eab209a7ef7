// The start of a functional model: Input() and its layer.

import { requireArguments } from '../../core/arguments'
import type { DType } from '../../core/dtypes'
import { ArgumentError, knownName } from '../../core/errors'
import {
  always,
  boolean,
  choice,
  configured,
  extent,
  extents,
  isOptions,
  nullable,
  option,
  readOptions,
  required,
  sparse,
  unread,
  withoutOptions,
} from '../../core/options'
import type { Config } from '../../core/registry'
import { readRecordsWith } from '../../data/samples/record-hook'
import { recordReader } from '../../data/samples/records'
import type { Tensor } from '../../ops/tensor'
import { Layer } from '../layer'
import { TensorSpec, type BatchShape } from '../spec'
import { INPUT_SHAPE, givenInputShape } from '../checks'
import { recordCall } from '../symbol'
import { recordOp } from './operation'
import type { LayerTraits } from '../traits'

const InputLayerBase = configured(
  Layer<Tensor>,
  () => ({
    /** The shape of one sample; null stands for an open extent. */
    shape: required(extents(null)),
    /** The number of samples, if it is always the same. */
    batchSize: option(nullable(extent), null),
    /** The dtype of the input: float32, int32, bool or string. */
    dtype: option(choice<DType>('float32', 'int32', 'bool', 'string'), 'float32'),
    /** Whether values may be missing: NaN, or null in a row that is an object. Default false. */
    optional: option(boolean, false),
    /** Changes nothing: there are no sparse tensors. true warns. Default false. */
    sparse: option(sparse, false),
  }),
  ['shape', 'batchSize', 'dtype'],
)

/** Declares the shape of one sample and returns its input. Keras: `keras.layers.InputLayer`. */
export class InputLayer extends InputLayerBase {
  static readonly className = 'InputLayer'
  /** @internal */
  static override readonly traits: LayerTraits<InputLayer> = {
    outputDtype: (_layer, [dtype]) => dtype ?? 'float32',
  }
  override readonly supportsMasking = true

  protected override checkOptions(): void {
    const shapeOption = givenInputShape(this)
    if (shapeOption !== undefined)
      throw new ArgumentError(`${this.toString()}: ${shapeOption} has no effect here. Use shape instead.`)
  }

  /** Older configurations may contain inputShape, which had no effect. @internal */
  static override fromConfig<Kind>(this: new (options: never) => Kind, config: Config): Kind {
    return Reflect.construct(this, [withoutOptions(config, INPUT_SHAPE)])
  }

  /** A copy of an input layer. */
  static from(layer: InputLayer): InputLayer {
    return InputLayer.fromConfig(layer.getConfig())
  }

  /** The input's spec, with the batch axis. */
  get spec(): TensorSpec {
    return new TensorSpec([this.batchSize, ...this.shape], this.dtype, this.name, this.optional)
  }

  call(x: Tensor): Tensor {
    return x
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
}

export interface InputOptions {
  /** The shape of one sample; null stands for an open extent. */
  shape: BatchShape
  /** Default float32. */
  dtype?: DType | null
  /** The input's name, for data given by name. */
  name?: string | null
  /** The number of samples, if it is always the same. */
  batchSize?: number | null
  /** The shape with its batch axis, in place of shape and batchSize: [null, 8]. */
  batchShape?: BatchShape | null
  /** Changes nothing: there are no sparse tensors. true warns. */
  sparse?: boolean | null
  /** Must be false or null: there are no ragged tensors. */
  ragged?: false | null
  /** Must be null: a symbol is an input of a model as it is. */
  tensor?: null
  /**
   * Whether values may be missing: NaN for numbers, '' for strings, and null in a row that is an object. The layers must
   * replace them: `ops.where(ops.isnan(x), 0, x)`. Default false: a missing value is an error.
   */
  optional?: boolean
}

/** Options of Input that its layer does not have. */
const symbolOptions = () => ({
  batchShape: option(nullable(extents(null)), null),
  ragged: unread(always([false, null], 'there are no ragged tensors'), null),
  tensor: unread(always([null], 'a symbol is an input of a model as it is'), null),
})

/** The options of the layer from those of Input; other values unchanged. */
function layerOptions(options: unknown): unknown {
  if (!isOptions(options)) return options
  const table = symbolOptions()
  const names = Object.keys(table)
  const shapes = Object.entries(options).filter(([key]) => knownName(key, names) !== undefined)
  const { batchShape } = readOptions('Input', table, Object.fromEntries(shapes))
  const others = withoutOptions(options, names)
  if (batchShape === null) return others
  if (Object.keys(others).some((key) => knownName(key, ['shape', 'batchSize']) !== undefined))
    throw new ArgumentError('Input: give either batchShape or shape and batchSize')
  const [batchSize = null, ...shape] = batchShape
  return { shape, batchSize, ...others }
}

/**
 * A symbol for an input of a functional model. Layers and ops that are called on it record their calls:
 *
 *   const x = Input([8])   // or Input({ shape: [8] })
 *   const y = new Dense({ units: 1 }).apply(x)
 *   const model = new Model({ inputs: x, outputs: y })
 *
 * Its `shape` has null for each open extent, the batch axis among them. Keras: `keras.Input`.
 * @throws ArgumentError for unknown options and for extents that are not integers ≥ 1
 */
export function Input(shape: BatchShape | InputOptions): Tensor
export function Input(shape: BatchShape, batchSize: number | null | Omit<InputOptions, 'shape'> | undefined): Tensor
export function Input(
  shape: BatchShape,
  batchSize: number | null,
  dtype: DType | Omit<InputOptions, 'shape' | 'batchSize'> | undefined,
): Tensor
export function Input(
  shape: BatchShape,
  batchSize: number | null,
  dtype: DType,
  options: Pick<InputOptions, 'name'> | undefined,
): Tensor
export function Input(...args: readonly unknown[]): Tensor {
  requireArguments('Input', arguments, 4)
  readRecordsWith(recordReader)
  const layer: InputLayer = Reflect.construct(InputLayer, args.map(layerOptions))
  layer.ensureBuilt(layer.spec)
  return recordCall(layer, null, {}, layer.spec, recordOp)
}
