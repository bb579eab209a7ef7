// Pipeline: layers, one after the other, as one layer.

import { ArgumentError } from '../../core/errors'
import { configured, listOf, required } from '../../core/options'
import { beginsWithString, toStrings } from '../../ops/strings'
import type { CallContext } from '../context'
import { innerLayer } from '../kinds'
import { LISTED } from '../forms'
import { Layer, type LayerBase } from '../layer'
import { type LayerTraits, inputDtypeOf } from '../traits'
import { outputSpecs } from '../inference'
import { applyTree, tensorsIn } from '../applying'

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
  /** @internal */
  static override readonly traits: LayerTraits<Pipeline> = {
    form: LISTED,
    inputDtype: (layer) => inputDtypeOf(layer.all[0]!),
    // The last layer has set the mask.
    keepsMasks: true,
    outputTree: (pipeline, specs, { training }) =>
      pipeline.all.reduce((spec, layer) => outputSpecs(layer, spec, { training }), specs),
    toTensors(layer, input) {
      return beginsWithString(input) ? toStrings(input, String(layer)) : tensorsIn(layer, input)
    },
  }
  override readonly supportsMasking: boolean = this.layers.every((layer) => layer.supportsMasking)

  protected override checkOptions(): void {
    if (this.layers.length === 0) throw new ArgumentError(`${this}: needs at least one layer`)
  }

  private get all(): readonly LayerBase[] {
    return this.layers
  }

  call(input: unknown, { mask }: CallContext): unknown {
    return this.all.reduce((x, layer, i) => applyTree(layer, x, i === 0 && mask !== null ? { mask } : {}), input)
  }
}
