// quantize: a model whose Dense and convolutional layers have int8 weights; and the training that prepares one. The layers are
// in quantized-layers.ts and fake-quantization.ts, the arithmetic in primitives/quantized.ts.

import { ArgumentError, StateError, quoted, restating } from '../core/errors'
import { custom, nullable, option, readOptions } from '../core/options'
import type { CustomObjects } from '../core/registry'
import { typed, unflatten } from '../core/tree'
import type { Tree } from '../core/tree'
import { flatten } from '../core/tree'
import type { DataOf } from '../data/arrays'
import { RowSource } from '../data/arrays'
import { LayerBase } from '../layers/base'
import { CallContext, withFrame, withTap } from '../layers/context'
import { Conv1D, Conv2D, Dense } from '../layers'
import { LayerGraph } from '../models/layer-graph'
import { Model } from '../models/model'
import { Sequential } from '../models/sequential'
import { abs } from '../ops/elementwise'
import { max } from '../ops/reduce'
import { Tensor } from '../ops/tensor'
import { compileTraced, currentTrace, trace } from '../ops/trace'
import { MOST_PRODUCTS } from '../primitives/quantized'
import { QuantizationAwareConv1D, QuantizationAwareConv2D, QuantizationAwareDense } from './fake-quantization'
import { QuantizedConv1D, QuantizedConv2D, QuantizedDense } from './quantized-layers'
import { replaceLayers } from './replace-layers'

/** The classes that `loadModel` must be told of: `loadModel(file, { customObjects: quantizedLayers })`. */
export const quantizedLayers = {
  QuantizedDense, QuantizedConv1D, QuantizedConv2D, QuantizationAwareDense, QuantizationAwareConv1D, QuantizationAwareConv2D,
} as const satisfies CustomObjects

export interface QuantizeOptions<In = Tensor> {
  /**
   * Inputs such as those to come, some hundred rows: what each layer gets from them says how its activations are scaled, once
   * for all. Default null: each row (of a convolution: each sample) is scaled by itself.
   */
  readonly calibration?: DataOf<In> | null
}

const QUANTIZE_OPTIONS = { calibration: option(nullable(custom<unknown>((value) => value, () => null)), null) }

type Quantizable = Dense | Conv1D | Conv2D
type Quantized = QuantizedDense | QuantizedConv1D | QuantizedConv2D

/** Whether a layer is of a class that is known exactly: a subclass of the user's may compute something else. */
function isQuantizable(layer: LayerBase): layer is Quantizable {
  const known: readonly unknown[] = [Dense, Conv1D, Conv2D, QuantizationAwareDense, QuantizationAwareConv1D, QuantizationAwareConv2D]
  if (!known.includes(layer.constructor)) return false
  const { kernel } = layer as Quantizable
  if (kernel.size / kernel.shape.at(-1)! > MOST_PRODUCTS) return false
  return layer instanceof Dense || (layer as Conv1D | Conv2D).groups === 1
}

function quantizedFor(layer: Quantizable, calibrated: boolean): Quantized {
  const { name, activation } = layer
  if (layer instanceof Dense) return new QuantizedDense({ units: layer.units, activation, calibrated, name })
  const { filters, kernelSize, strides, padding, dilationRate, dataFormat } = layer
  const options = { filters, activation, calibrated, kernelSize, strides, padding: padding as 'valid', dilationRate, dataFormat, name }
  return layer instanceof Conv1D ? new QuantizedConv1D(options) : new QuantizedConv2D(options)
}

function requireGraph(where: string, model: LayerBase): Model<unknown, unknown> {
  if (!(model instanceof Model)) throw new ArgumentError(`${where}: needs a model, received ${model instanceof LayerBase ? String(model) : quoted(model)}`)
  if (!(model instanceof Sequential) && model.constructor !== Model) {
    throw new ArgumentError(`${where}: ${model} is a class of its own, which makes its layers itself. Sequential and functional models can be changed layer by layer.`)
  }
  if (!model.built) throw new StateError(`${where}: ${model} must be built. Give the first layer an inputShape, or predict once.`)
  return model
}

/** The layers that a model's graph calls, and those that the models within it call: what can be replaced. */
function called(model: LayerBase): LayerBase[] {
  return model.graph instanceof LayerGraph ? model.graph.layers.flatMap((layer) => (layer.graph === null ? [layer] : called(layer))) : []
}

/** Rows that are looked at at once. */
const ROWS = 128

/** The largest |x| that each of some layers gets. */
function largestInputs(model: Model<unknown, unknown>, layers: ReadonlySet<LayerBase>, data: unknown): ReadonlyMap<LayerBase, number> {
  const { x: form, inputs, size } = restating((message) => `quantize: calibration: ${message}`, () => model.trainer.readInputs(data))
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
        // What is computed within a loop does not exist outside of it.
        if (layer instanceof LayerBase && layers.has(layer) && currentTrace() === own) {
          for (const leaf of flatten(input)) {
            if (!(leaf instanceof Tensor)) continue
            seen.push(layer)
            found.push(max(abs(leaf)))
          }
        }
        return output
      }
      withTap(look, () => withFrame(null, new CallContext(false), () => model.predictStep(typed(unflatten<Tensor>(form, symbols)))))
      return found
    })
    const program = compileTraced(traced)
    sources.forEach((source, i) => source.fill(program.parameter(i), null, start, count))
    program.run()
    seen.forEach((layer, i) => largest.set(layer, Math.max(largest.get(layer) ?? 0, program.output(i)[0]!)))
    program.dispose()
  }
  const silent = [...largest].find(([, each]) => each === 0)
  if (silent !== undefined) throw new ArgumentError(`quantize: ${silent[0]} gets nothing but zeros from the calibration data, which tell no scale. Give rows like those that it is to predict.`)
  return largest
}

/**
 * A model whose Dense, Conv1D and Conv2D layers have int8 weights, a scale for each output, and multiply integers: files and memory
 * are a quarter as large, and predictions faster. It has the methods of any model, and is compiled as the given one is; what is
 * quantized is not trained further. The given model is not changed. Layers of other classes, subclasses of those three, and
 * convolutions in groups stay float32, and so do layers within layers that are no models.
 *
 *   const small = quantize(model)                                  // each row of activations is scaled by itself
 *   const fixed = quantize(model, { calibration: x.slice(0, 500) })  // scales found once
 *   await small.save('small.safetensors')
 *   await loadModel('small.safetensors', { customObjects: quantizedLayers })
 *
 * @throws ArgumentError for what is no Sequential or functional model, or has no layer that can be quantized
 * @throws StateError for a model that is not built
 * @throws ShapeError for calibration data that the model does not take
 *
 * Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference".
 */
export function quantize<Kind extends LayerBase>(model: Kind, options: QuantizeOptions<never> | { readonly calibration?: unknown } = {}): Kind {
  const given = requireGraph('quantize', model)
  const { calibration } = readOptions('quantize', QUANTIZE_OPTIONS, options)
  const chosen = new Set(called(given).filter(isQuantizable))
  if (chosen.size === 0) throw new ArgumentError(`quantize: ${given} has no Dense, Conv1D or Conv2D layer`)
  const largest = calibration === null ? null : largestInputs(given, chosen, calibration)
  return replaceLayers(model, (layer) => {
    if (!isQuantizable(layer)) return null
    const own = quantizedFor(layer, largest?.has(layer) === true)
    return { layers: [own], fill: () => own.quantizeFrom({ kernel: layer.kernel.value, bias: layer.bias?.value ?? null, largest: largest?.get(layer) ?? null }) }
  })
}

/**
 * A model to train on, whose Dense, Conv1D and Conv2D layers compute as int8 ones would: kernels rounded for each output,
 * activations for each row, while gradients pass as if they were not. It has the weights of the given one, and is compiled
 * alike; the given model is not changed. Afterwards `quantize` makes the int8 model, which predicts the same.
 *
 *   const aware = quantizationAware(model)
 *   await aware.fit(x, y, { epochs: 1 })
 *   const small = quantize(aware)
 *
 * @throws as `quantize` does
 */
export function quantizationAware<Kind extends LayerBase>(model: Kind): Kind {
  const given = requireGraph('quantizationAware', model)
  if (!called(given).some(isQuantizable)) throw new ArgumentError(`quantizationAware: ${given} has no Dense, Conv1D or Conv2D layer`)
  return replaceLayers(model, (layer) => (isQuantizable(layer) ? { layers: [awareOf(layer)], fill: null } : null))
}

function awareOf(layer: Quantizable): LayerBase {
  const config = Object.fromEntries(Object.keys(layer.getConfig()).map((key) => [key, Reflect.get(layer, key)]))
  if (layer instanceof Dense) return new QuantizationAwareDense(typed(config))
  return layer instanceof Conv1D ? new QuantizationAwareConv1D(typed(config)) : new QuantizationAwareConv2D(typed(config))
}
