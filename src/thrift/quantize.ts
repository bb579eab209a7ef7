// quantize: int8 weights for Dense and convolutional layers; quantizationAware: the training that prepares for it. The
// layers are in quantized-layers.ts and fake-quantization.ts, the arithmetic in primitives/quantized.ts.

import { requireArguments } from '../core/arguments'
import { ArgumentError, restating } from '../core/errors'
import { custom, nullable, option, optionsOf, readOptions } from '../core/options'
import type { CustomObjects } from '../core/registry'
import { typed } from '../core/tree'
import type { Tree } from '../core/tree'
import { flatten } from '../core/tree'
import type { DataOf } from '../data/given'
import { RowSource } from '../data/row-source'
import type { LayerBase } from '../layers/layer'
import { Layer } from '../layers/layer'
import { CallContext, withFrame, withTap } from '../layers/context'
import type { DenseOptions } from '../layers'
import { Conv1D, Conv2D, Dense } from '../layers'
import { computesAs } from '../layers/units'
import { copyableGraph, pathsIn } from '../models/known-graph'
import type { Model } from '../models/model'
import { abs } from '../ops/numpy/elementwise'
import { max } from '../ops/numpy/reduce'
import { Tensor } from '../ops/tensor'
import { compileTraced, currentTrace, trace } from '../ops/trace'
import { MOST_PRODUCTS } from '../primitives/quantized'
import { readInputs } from '../training/read'
import { inputsOf } from '../training/steps'
import { QuantizationAwareConv1D, QuantizationAwareConv2D, QuantizationAwareDense } from './fake-quantization'
import { QuantizedConv1D, QuantizedConv2D, QuantizedDense } from './quantized-layers'
import { replaceLayers } from './replace-layers'

/** The classes that `loadModel` needs: `loadModel(file, { customObjects: quantizedLayers })`. */
export const quantizedLayers = {
  QuantizedDense,
  QuantizedConv1D,
  QuantizedConv2D,
  QuantizationAwareDense,
  QuantizationAwareConv1D,
  QuantizationAwareConv2D,
} as const satisfies CustomObjects

export interface QuantizeOptions<In = Tensor> {
  /**
   * Representative inputs, some hundred rows. They determine a fixed scale for the activations of each layer. Default
   * null: each row (for a convolution: each sample) has its own scale.
   */
  readonly calibration?: DataOf<In> | null
}

const QUANTIZE_OPTIONS = {
  calibration: option(
    nullable(
      custom<unknown>(
        (value) => value,
        () => null,
      ),
    ),
    null,
  ),
}

type Quantizable = Dense | Conv1D | Conv2D
type Quantized = QuantizedDense | QuantizedConv1D | QuantizedConv2D

const QUANTIZABLE: readonly { readonly prototype: Quantizable }[] = [
  Dense,
  Conv1D,
  Conv2D,
  QuantizationAwareDense,
  QuantizationAwareConv1D,
  QuantizationAwareConv2D,
]

/** Whether a layer's computation is exactly known and possible in integers. */
function isQuantizable(layer: LayerBase): layer is Quantizable {
  if (!QUANTIZABLE.some((known) => computesAs(layer, known))) return false
  const { kernel } = layer as Quantizable
  if (kernel.size / kernel.shape.at(-1)! > MOST_PRODUCTS) return false
  return layer instanceof Dense || (layer as Conv1D | Conv2D).groups === 1
}

function quantizedFor(layer: Quantizable, calibrated: boolean): Quantized {
  const { name, activation } = layer
  if (layer instanceof Dense) return new QuantizedDense({ units: layer.units, activation, calibrated, name })
  const { filters, kernelSize, strides, padding, dilationRate, dataFormat } = layer
  const options = {
    filters,
    activation,
    calibrated,
    kernelSize,
    strides,
    padding: padding as 'valid',
    dilationRate,
    dataFormat,
    name,
  }
  return layer instanceof Conv1D ? new QuantizedConv1D(options) : new QuantizedConv2D(options)
}

/** The number of rows per run. */
const ROWS = 128

/** The largest |x| among the inputs of each layer. */
function largestInputs(
  model: Model<unknown, unknown>,
  layers: ReadonlySet<LayerBase>,
  data: unknown,
): ReadonlyMap<LayerBase, number> {
  const {
    x: form,
    inputs,
    size,
    readers,
  } = restating(
    (message) => `quantize: calibration: ${message}`,
    () => readInputs(model.training, data),
  )
  if (size === 0) throw new ArgumentError('quantize: calibration has no rows')
  const largest = new Map<LayerBase, number>()
  const sources = inputs.map((input) => new RowSource(input))
  for (let start = 0; start < size; start += ROWS) {
    const count = Math.min(ROWS, size - start)
    const types = inputs.map(({ dtype, shape }) => ({ dtype, shape: [count, ...shape.slice(1)] }))
    const seen: LayerBase[] = []
    const traced = trace(types, (symbols) => {
      const found: Tensor[] = []
      const own = currentTrace()
      const look = (layer: unknown, input: Tree<unknown>, output: Tree<Tensor>): Tree<Tensor> => {
        // Values within a loop cannot be read outside of it.
        if (layer instanceof Layer && layers.has(layer) && currentTrace() === own) {
          for (const leaf of flatten(input)) {
            if (!(leaf instanceof Tensor)) continue
            seen.push(layer)
            found.push(max(abs(leaf)))
          }
        }
        return output
      }
      withTap(look, () =>
        withFrame(null, new CallContext(false), () => model.predictStep(typed(inputsOf(form, symbols, readers)))),
      )
      return found
    })
    const program = compileTraced(traced)
    sources.forEach((source, i) => source.fill(program.parameter(i), null, start, count))
    program.run()
    seen.forEach((layer, i) => largest.set(layer, Math.max(largest.get(layer) ?? 0, program.output(i)[0]!)))
    program.dispose()
  }
  const silent = [...largest].find(([, each]) => each === 0)
  if (silent !== undefined)
    throw new ArgumentError(
      `quantize: ${silent[0]} receives only zeros from the calibration data, so its scale is unknown. Give representative rows.`,
    )
  return largest
}

/**
 * Returns a model whose Dense, Conv1D and Conv2D layers have int8 weights, one scale per output, and multiply integers:
 * files and memory are a quarter as large, and predictions faster. It has the methods of any model and is compiled as
 * the given one; quantized layers are not trained further. The given model is not changed. Layers of other classes,
 * subclasses with their own `call`, and grouped convolutions stay float32, and so do layers within wrappers that are
 * not models.
 *
 *   const small = quantize(model)                                  // each row of activations has its own scale
 *   const fixed = quantize(model, { calibration: x.slice(0, 500) })  // fixed scales
 *   await small.save('small.safetensors')
 *   await loadModel('small.safetensors', { customObjects: quantizedLayers })
 *
 * @throws ArgumentError unless `model` is a Sequential or functional model with a layer that can be quantized
 * @throws StateError for a model that is not built
 * @throws ShapeError for calibration data that do not fit the model
 *
 * Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference".
 */
export function quantize<Kind extends LayerBase>(
  model: Kind,
  options: { readonly [Name in keyof QuantizeOptions]?: unknown } = {},
): Kind {
  requireArguments('quantize', arguments, 2)
  const layers = [...pathsIn(copyableGraph('quantize', model)).keys()]
  const { calibration } = readOptions('quantize', QUANTIZE_OPTIONS, options)
  const chosen = new Set(layers.filter(isQuantizable))
  if (chosen.size === 0) throw new ArgumentError(`quantize: ${model} has no Dense, Conv1D or Conv2D layer`)
  const largest = calibration === null ? null : largestInputs(typed(model), chosen, calibration)
  return replaceLayers(model, (layer) => {
    if (!isQuantizable(layer)) return null
    const own = quantizedFor(layer, largest?.has(layer) === true)
    return {
      layers: [own],
      fill: () =>
        own.quantizeFrom({
          kernel: layer.kernel.value,
          bias: layer.bias?.value ?? null,
          largest: largest?.get(layer) ?? null,
        }),
    }
  })
}

/**
 * Returns a model for training whose Dense, Conv1D and Conv2D layers simulate int8: kernels are rounded per output,
 * activations per row, while gradients ignore the rounding. It copies the weights and the compile options; the given
 * model is not changed. Afterwards `quantize` returns the int8 model, with the same predictions.
 *
 *   const aware = quantizationAware(model)
 *   await aware.fit(x, y, { epochs: 1 })
 *   const small = quantize(aware)
 *
 * @throws the same errors as `quantize`
 */
export function quantizationAware<Kind extends LayerBase>(model: Kind): Kind {
  requireArguments('quantizationAware', arguments, 1)
  const layers = [...pathsIn(copyableGraph('quantizationAware', model)).keys()]
  if (!layers.some(isQuantizable))
    throw new ArgumentError(`quantizationAware: ${model} has no Dense, Conv1D or Conv2D layer`)
  return replaceLayers(model, (layer) => (isQuantizable(layer) ? { layers: [awareOf(layer)], fill: null } : null))
}

/** The options of a layer whose first option, a number, may be passed by position. */
type OptionsOf<Class extends abstract new (...inputs: never) => unknown> = Exclude<
  ConstructorParameters<Class>[0],
  number
>

function awareOf(layer: Quantizable): LayerBase {
  const config = Object.fromEntries(
    Object.keys(optionsOf(layer.constructor)).map((key) => [key, Reflect.get(layer, key)]),
  )
  if (layer instanceof Dense) return new QuantizationAwareDense(typed<DenseOptions>(config))
  return layer instanceof Conv1D
    ? new QuantizationAwareConv1D(typed<OptionsOf<typeof Conv1D>>(config))
    : new QuantizationAwareConv2D(typed<OptionsOf<typeof Conv2D>>(config))
}
