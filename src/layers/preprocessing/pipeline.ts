// Pipeline: layers, one after the other, as one layer.

import { ArgumentError } from '../../core/errors'
import type { DType } from '../../core/dtypes'
import { configured, listOf, required } from '../../core/options'
import { typed, type Tree } from '../../core/tree'
import { beginsWithString, toStrings } from '../../ops/strings'
import type { ApplyOptions } from '../call-options'
import type { CallContext } from '../context'
import { innerLayer } from '../kinds'
import { LISTED } from '../forms'
import { Layer, type LayerBase } from '../layer'
import type { TensorSpec } from '../spec'

const PipelineBase = configured(
  Layer<unknown, unknown>,
  () => ({
    /** The layers, in order. */
    layers: required(listOf(innerLayer)),
  }),
  ['layers'],
)

/**
 * Layers, one after the other: the output of each is the input of the next, also a record of images, labels and boxes.
 *
 *   const augment = new Pipeline([new AutoContrast(), new RandomZoom(0.2), new RandomRotation(0.2)])
 *   augment.apply(images, { training: true })
 *
 * Keras: `keras.layers.Pipeline`, where `training` is true by default.
 * @throws ArgumentError for no layers
 */
export class Pipeline extends PipelineBase {
  static readonly className = 'Pipeline'
  static override readonly form = LISTED
  override readonly supportsMasking: boolean = this.layers.every((layer) => layer.supportsMasking)

  protected override checkOptions(): void {
    if (this.layers.length === 0) throw new ArgumentError(`${this}: needs at least one layer`)
  }

  private get all(): readonly LayerBase[] {
    return typed(this.layers)
  }

  override get inputDtype(): DType {
    return this.all[0]!.inputDtype
  }

  // The last layer has set the mask.
  protected override get keepsMasks(): boolean {
    return true
  }

  call(input: unknown, { mask }: CallContext): unknown {
    return this.all.reduce((x, layer, i) => layer.applyTree(x, i === 0 && mask !== null ? { mask } : {}), input)
  }

  protected override outputTree(specs: Tree<TensorSpec>, { training }: ApplyOptions): Tree<TensorSpec> {
    return this.all.reduce((spec, layer) => layer.outputSpecs(spec, { training }), specs)
  }

  /** @internal */
  protected override toTensors(input: unknown): Tree<unknown> {
    return beginsWithString(input) ? toStrings(input, String(this)) : super.toTensors(input)
  }
}
