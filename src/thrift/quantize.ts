// quantize: int8 or int4 weights; quantizationAware: the training that prepares for it. The layers are in quantized-layers.ts,
// packed-layers.ts and fake-quantization.ts, the arithmetic in engine/primitives/quantized.ts and integers.ts.

import { warn } from '../core/warnings'
import { requireArguments } from '../core/arguments'
import { ArgumentError, StateError, quoted, restating } from '../core/errors'
import { count, custom, nullable, option, optionsOf, readOptions } from '../core/options'
import type { CustomObjects } from '../core/registry'
import { typed, flatten, type Tree } from '../core/tree'
import type { DataOf } from '../data/samples/data-types'
import { RowSource } from '../data/samples/row-source'
import { Layer, type LayerBase } from '../layers/layer'
import { CallContext, withFrame, withTap } from '../layers/context'
import { Conv1D, Conv2D, Dense, type DenseOptions } from '../layers'
import { computesAs } from '../layers/units'
import { copyableGraph, pathsIn } from '../models/known-graph'
import { Model } from '../models/model'
import { abs } from '../ops/numpy/elementwise'
import { max } from '../ops/numpy/reduce'
import { Tensor } from '../ops/tensor'
import { compileTraced, currentTrace, trace } from '../ops/trace'
import { MOST_PRODUCTS } from '../engine/primitives/quantized'
import { readInputs } from '../training/read'
import { inputsOf } from '../training/steps'
import { QuantizationAwareConv1D, QuantizationAwareConv2D, QuantizationAwareDense } from './fake-quantization'
import type { Bits } from './integers'
import { bitsKind, packInPlace, packedFrom, packedLayers } from './packed-layers'
import { quantizationReport, whyFloat } from './quantization-report'
import { QuantizedConv1D, QuantizedConv2D, QuantizedDense } from './quantized-layers'
import { replaceLayers, type Replacement } from './replace-layers'

/**
 * The classes of the layers here, by name. `loadModel` finds them itself; `modelFromJSON` and `loadModel` of myelin/predict need them:
 * `modelFromJSON(json, { customObjects: quantizedLayers })`.
 */
export const quantizedLayers = {
  QuantizedDense,
  QuantizedConv1D,
  QuantizedConv2D,
  QuantizationAwareDense,
  QuantizationAwareConv1D,
  QuantizationAwareConv2D,
  ...packedLayers,
} satisfies CustomObjects

export interface QuantizeOptions<In = Tensor> {
  /**
   * Representative inputs, some hundred rows. They determine a fixed scale for the activations of each layer. Default
   * null: each row (for a convolution: each sample) has its own scale.
   */
  readonly calibration?: DataOf<In> | null
  /** The bits of a weight, 8 or 4. Default 8. */
  readonly bits?: Bits
  /** With 4 bits: how many neighbouring weights of an output share a scale. Default 64. */
  readonly groupSize?: number
}

/** The weights that share a scale of int4: 4.5 bits per weight in all. */
const GROUP = 64
/** The share of the bytes of a quantized model above which float32 layers are reported. */
const MOST_FLOAT = 0.1

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
  bits: option(bitsKind, 8),
  groupSize: option(nullable(count), null),
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
 * Returns a model with int8 weights: its file is about a quarter as large. Dense, Conv1D and Conv2D layers have one scale per
 * output, multiply integers, and predict faster. Embeddings (one scale per row), SimpleRNN, LSTM, GRU, Bidirectional,
 * TimeDistributed, MultiHeadAttention, GroupedQueryAttention, EinsumDense and grouped convolutions (one scale per output) have
 * integers in files, which become float32 when a file is read, so their speed and memory are those of float32. With `bits: 4`,
 * all these layers have int4 in files, about an eighth as large.
 *
 * The model has the methods of any model and is compiled as the given one; quantized layers are not trained further. The given
 * model is not changed. Other classes, and subclasses with their own `call`, stay float32: `quantizationReport` says which
 * ones and why, and a warning does if they take more than a tenth of the bytes.
 *
 *   const small = quantize(model)                                  // each row of activations has its own scale
 *   const fixed = quantize(model, { calibration: x.slice(0, 500) })  // fixed scales
 *   const tiny = quantize(model, { bits: 4 })
 *   await small.save('small.safetensors')
 *   await loadModel('small.safetensors')
 *
 * @throws ArgumentError unless `model` is a Sequential or functional model with a layer that can be quantized; for calibration
 * without a layer that multiplies integers, and for groupSize without 4 bits
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
  const { calibration, bits, groupSize } = readOptions('quantize', QUANTIZE_OPTIONS, options)
  if (groupSize !== null && bits === 8)
    throw new ArgumentError('quantize: groupSize needs bits: 4. With 8 bits, all weights of an output share a scale.')
  const multiplied = new Set(layers.filter((layer) => bits === 8 && isQuantizable(layer)))
  if (calibration !== null && multiplied.size === 0)
    throw new ArgumentError(
      bits === 4
        ? 'quantize: calibration needs bits: 8. With 4 bits, activations stay float32.'
        : `quantize: calibration needs a Dense, Conv1D or Conv2D layer, and ${model} has none. Leave it out.`,
    )
  const largest = calibration === null ? null : largestInputs(typed(model), multiplied, calibration)
  let replaced = 0
  const small = replaceLayers(model, (layer) => {
    const found = multiplied.has(layer)
      ? integerProduct(layer as Quantizable, largest?.get(layer) ?? null)
      : packedLayer(layer, bits, groupSize ?? (bits === 4 ? GROUP : null))
    if (found !== null) replaced++
    return found
  })
  if (replaced === 0) throw nothingToQuantize(model, layers)
  warnOfFloats(small)
  return small
}

/**
 * Rounds the kernels of a layer or a model to int8 or int4 with scales, in place, as Keras's `quantize`: files become about a
 * quarter or an eighth as large. The layers compute in float32 and are not trained further. In Node, `model.quantize('int8')`
 * does the same. `quantize` returns another model, which also multiplies integers.
 *
 *   quantizeInPlace(model, 'int8')
 *   await model.save('small.safetensors')
 *
 * Keras: `Model.quantize`.
 * @throws ArgumentError for another mode, and if no layer can be quantized; StateError before the layer is built, and while the model
 *   trains
 */
export function quantizeInPlace(layer: LayerBase, mode: 'int8' | 'int4' = 'int8'): void {
  requireArguments('quantizeInPlace', arguments, 2)
  const bits = { int8: 8, int4: 4 }[mode] as Bits | undefined
  if (bits === undefined)
    throw new ArgumentError(`quantize: the mode must be 'int8' or 'int4', received ${quoted(mode)}`)
  if (layer instanceof Model) layer.training.lock.requireIdle('quantize')
  if (!layer.built)
    throw new StateError(`${layer}: quantize needs weights. Build it before, with an inputShape or a call`)
  const packing = { bits, groupSize: bits === 4 ? GROUP : null }
  const done = new Set<LayerBase>()
  const visit = (each: LayerBase): boolean => {
    if (done.has(each)) return false
    done.add(each)
    const inner = (): boolean => each.sublayers.map(visit).includes(true)
    return packInPlace(each, packing) || inner()
  }
  if (!visit(layer)) throw nothingToQuantize(layer, layer.sublayers.length > 0 ? layer.sublayers : [layer])
}

function nothingToQuantize(model: LayerBase, layers: readonly LayerBase[]): ArgumentError {
  const reasons = layers.filter(({ weights }) => weights.length > 0).map((layer) => `${layer.name}: ${whyFloat(layer)}`)
  const why = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`
  return new ArgumentError(`quantize: ${model} has no layer that can be quantized${why}`)
}

/** A layer that multiplies integers in place of a float32 layer. */
function integerProduct(layer: Quantizable, largest: number | null): Replacement {
  const own = quantizedFor(layer, largest !== null)
  const fill = (): void => own.quantizeFrom({ kernel: layer.kernel.value, bias: layer.bias?.value ?? null, largest })
  return { layers: [own], fill }
}

function packedLayer(layer: LayerBase, bits: Bits, groupSize: number | null): Replacement | null {
  const found = packedFrom(layer, { bits, groupSize })
  return found && { layers: [found.own], fill: found.fill }
}

/** Warns of layers that stay float32 if they are much of the file. */
function warnOfFloats(model: LayerBase): void {
  const { rows, bytes } = quantizationReport(model)
  const left = rows.filter(({ why }) => why !== null)
  if (left.reduce((sum, row) => sum + row.bytes, 0) <= MOST_FLOAT * bytes) return
  warn(`quantize: these layers stay float32: ${left.map(({ name, why }) => `${name} (${why})`).join(', ')}`)
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
