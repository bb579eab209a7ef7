// The beginning of a functional model: Input() and the layer that stands for it.

import type { DType } from '../../core/dtypes'
import { choice, configured, extents, nullable, count, option, required } from '../../core/options'
import { typed } from '../../core/tree'
import type { Tensor } from '../../ops/tensor'
import { Layer } from '../layer'
import type { BatchShape } from '../spec'
import { TensorSpec } from '../spec'
import { recordCall } from '../symbol'

/** Declares the shape of one sample; passes its input on. Keras: `keras.layers.InputLayer`. */
export class InputLayer extends configured(Layer<Tensor>, () => ({
  /** The shape of one sample; null stands for an open extent. */
  shape: required(extents(null)),
  /** The number of samples, where it is always the same. */
  batchSize: option(nullable(count), null),
  /** What the input holds: float32, int32, bool or string. */
  dtype: option(choice<DType>('float32', 'int32', 'bool', 'string'), 'float32'),
})) {
  static readonly className = 'InputLayer'
  override readonly supportsMasking = true

  /** Another one like this one. */
  static from({ shape, batchSize, dtype, name }: InputLayer): InputLayer {
    return new InputLayer({ shape, batchSize, dtype, name })
  }

  /** The input's type, batch axis included. */
  get spec(): TensorSpec {
    return new TensorSpec([this.batchSize, ...this.shape], this.dtype, this.name)
  }

  call(x: Tensor): Tensor {
    return x
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }

  protected override outputDtype([dtype]: readonly DType[]): DType {
    return dtype ?? 'float32'
  }
}

export interface InputOptions {
  /** The shape of one sample; null stands for an open extent. */
  shape: BatchShape
  /** Default float32. */
  dtype?: DType
  /** What the input is called in data that is given by name. */
  name?: string
  /** The number of samples, where it is always the same. */
  batchSize?: number
}

/**
 * A symbol for an input of a functional model. Layers and ops that are called on it record what they would do:
 *
 *   const x = Input({ shape: [8] })
 *   const y = new Dense({ units: 1 }).apply(x)
 *   const model = new Model({ inputs: x, outputs: y })
 *
 * Its `shape` has null for each open extent, the batch axis among them. Keras: `keras.Input`.
 * @throws ArgumentError for unknown options and for extents that are not integers ≥ 1
 */
export function Input(options: InputOptions): Tensor {
  const layer = new InputLayer(options)
  layer.ensureBuilt(layer.spec)
  return typed(recordCall(layer, null, {}, layer.spec))
}
