// Sequential: a model that is a plain list of layers.

import { ArgumentError, ShapeError, StateError, formatShape } from '../core/errors'
import type { Shape } from '../core/shapes'
import { sizeOf } from '../core/shapes'
import type { BatchShape, CallContext, LayerOptions } from '../layers'
import { InputLayer, Layer } from '../layers'
import type { Tensor } from '../ops/tensor'
import type { Config } from '../core/registry'
import { serialize } from '../core/registry'
import { Model } from './model'

/**
 * Layers one after another. Weights are made at once when the first layer has an inputShape (or inputDim), else
 * at the first data.
 */
export class Sequential extends Model {
  static readonly className = 'Sequential'
  private readonly list: Layer[] = []

  constructor(layers: readonly Layer[] = [], options: LayerOptions = {}) {
    super(options)
    if (!Array.isArray(layers)) throw new ArgumentError('Sequential: expected an array of layers')
    for (const layer of layers) this.add(layer)
  }

  /** InputLayer excepted, as in Keras. */
  get layers(): readonly Layer[] {
    return this.list.filter((layer) => !(layer instanceof InputLayer))
  }

  /** Appends a layer. */
  add(layer: Layer): void {
    if (!(layer instanceof Layer)) throw new ArgumentError(`${this}: add needs a layer, received ${typeof layer}`)
    if (this.list.includes(layer)) throw new ArgumentError(`${this}: ${layer} is in the model already. Make a second layer to repeat it.`)
    if (this.list.some(({ name }) => name === layer.name)) {
      throw new ArgumentError(`${this}: there is a layer named '${layer.name}' already. Names must differ within a model.`)
    }
    if (this.built) this.extend(layer)
    this.list.push(layer)
    this.forgetParts()
    this.resetPrograms()
    const [first] = this.list
    if (!this.built && first?.inputShape != null) this.ensureBuilt([null, ...first.inputShape])
  }

  /** Removes the last layer. */
  pop(): Layer | undefined {
    if (this.compiledState !== null) throw new StateError(`${this}: pop before compile, not after`)
    this.forgetParts()
    this.resetPrograms()
    return this.list.pop()
  }

  // The model is built: the new layer is built for the output of the last one.
  private extend(layer: Layer): void {
    layer.ensureBuilt(this.computeOutputShape(this.buildShape!))
  }

  override build(inputShape: BatchShape): void {
    if (this.list.length === 0) throw new StateError(`${this}: has no layers. Add some first.`)
    let shape = inputShape
    for (const layer of this.list) {
      layer.ensureBuilt(shape)
      shape = layer.computeOutputShape(shape)
    }
  }

  call(x: Tensor, context: CallContext): Tensor {
    return this.list.reduce((value, layer) => layer.apply(value, context), x)
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return this.list.reduce((shape, layer) => layer.computeOutputShape(shape), inputShape)
  }

  protected checkInput(shape: Shape): void {
    const expected = this.buildShape
    if (expected === null) return
    const fits = expected.length === shape.length && expected.every((extent, i) => extent === null || extent === shape[i])
    if (fits) return
    const rows = expected.map((extent) => extent ?? 'batch')
    const single = shape.length === expected.length - 1 && expected.slice(1).every((extent, i) => extent === shape[i])
    const unflattened = expected.length === 2 && shape.length > 2 && sizeOf(shape.slice(1)) === expected[1]
    const hint = single ? ' For one sample, wrap it into a batch of 1.' : unflattened ? ' Did you forget Flatten?' : ''
    throw new ShapeError(`${this}: the input must be [${rows.join(', ')}], received ${formatShape(shape)}.${hint}`)
  }

  override getConfig(): Config {
    return {
      ...super.getConfig(),
      layers: this.list.map((layer) => serialize(layer)),
      ...(this.buildShape === null ? {} : { buildShape: this.buildShape }),
    }
  }
}
