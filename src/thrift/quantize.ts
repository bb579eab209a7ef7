// quantize: int8 or int4 weights; quantizationAware: the training that prepares for it. The layers are in quantized-layers.ts,
// packed-layers.ts and fake-quantization.ts, the arithmetic in engine/primitives/quantized.ts and integers.ts.

import { warn } from '../core/warnings'
import { requireArguments } from '../core/arguments'
import { ArgumentError, StateError, quoted, restating } from '../core/errors'
import { anything, count, nullable, option, readOptions } from '../core/options'
import type { CustomObjects } from '../core/registry'
import { flatten } from '../core/tree'
import type { DataOf } from '../data/samples/data-types'
import { RowSource } from '../data/samples/row-source'
import { Layer, type LayerBase } from '../layers/layer'
import { withTap, type Tap } from '../layers/context'
import { copyableGraph, pathsIn } from '../models/known-graph'
import { Model } from '../models/model'
import { requireModel } from '../models/required-model'
import { abs } from '../ops/numpy/elementwise'
import { max } from '../ops/numpy/reduce'
import { Tensor } from '../ops/tensor'
import { compileTraced, currentTrace, trace } from '../ops/trace'
import { readInputs } from '../training/read'
import { inputsOf } from '../training/steps'
import { QuantizationAwareConv1D, QuantizationAwareConv2D, QuantizationAwareDense } from './fake-quantization'
import { awareLayer, integerLayer, productOf, type Product } from './integer-products'
import type { Bits } from './integers'
import { bitsKind, packInPlace, packedFrom, packedLayers } from './packed-layers'
import { quantizationReport, whyFloat } from './quantization-report'
import { QuantizedConv1D, QuantizedConv2D, QuantizedDense } from './quantized-layers'
import { replaceLayers, type Replacement } from './replace-layers'
import { predicted } from '../training/step'

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
   * null: each row (for a convolution: each sample) has a scale that is computed from it.
   */
  readonly calibration?: DataOf<In> | null
  /** The bits of a weight, 8 or 4. Default 8. */
  readonly bits?: Bits
  /** With 4 bits: how many neighbouring weights of an output share a scale. Default 64. */
  readonly groupSize?: number
}

/** The weights that share a scale of int4: 4.5 bits per weight in all. */
const GROUP = 64
/** The bits of a mode of Keras. */
const BITS: ReadonlyMap<string, Bits> = new Map([
  ['int8', 8],
  ['int4', 4],
])
/** The share of the bytes of a quantized model above which float32 layers are reported. */
const MOST_FLOAT = 0.1

const QUANTIZE_OPTIONS = {
  calibration: option(nullable(anything), null),
  bits: option(bitsKind, 8),
  groupSize: option(nullable(count), null),
}

/** The number of rows per run. */
const ROWS = 128

/** The largest |x| among the inputs of each layer. */
function largestInputs(
  model: Model,
  layers: ReadonlyMap<LayerBase, Product>,
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
      const outermost = currentTrace()
      const look: Tap = (layer, input, output) => {
        // Values within a loop cannot be read outside of it.
        if (layer instanceof Layer && layers.has(layer) && currentTrace() === outermost) {
          for (const leaf of flatten(input)) {
            if (!(leaf instanceof Tensor)) continue
            seen.push(layer)
            found.push(max(abs(leaf)))
          }
        }
        return output
      }
      withTap(look, () => predicted(model, inputsOf(form, symbols, readers)))
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
 * The result has the methods of any model and is compiled as `model` is; quantized layers are not trained further. `model` is not
 * changed. Other classes, and subclasses with a custom `call`, stay float32. `quantizationReport` lists these layers with the
 * reasons; if they take more than a tenth of the bytes, a warning names them.
 *
 *   const small = quantize(model)                                  // a scale for each row of activations
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
  requireModel('quantize', model)
  const { calibration, bits, groupSize } = readOptions('quantize', QUANTIZE_OPTIONS, options)
  if (groupSize !== null && bits === 8)
    throw new ArgumentError('quantize: groupSize needs bits: 4. With 8 bits, all weights of an output share a scale.')
  const multiplied = bits === 8 ? productsIn(layers) : new Map<LayerBase, Product>()
  if (calibration !== null && multiplied.size === 0)
    throw new ArgumentError(
      bits === 4
        ? 'quantize: calibration needs bits: 8. With 4 bits, activations stay float32.'
        : `quantize: calibration needs a Dense, Conv1D or Conv2D layer, and ${model} has none. Leave it out.`,
    )
  const largest = calibration === null ? null : largestInputs(model, multiplied, calibration)
  let replaced = 0
  const small = replaceLayers(model, (layer) => {
    const product = multiplied.get(layer)
    const replacement =
      product === undefined
        ? packedLayer(layer, bits, groupSize ?? (bits === 4 ? GROUP : null))
        : integerProduct(product, largest?.get(layer) ?? null)
    if (replacement !== null) replaced++
    return replacement
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
  const bits = BITS.get(mode)
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
function integerProduct(product: Product, largest: number | null): Replacement {
  const { kernel, bias } = product.layer
  const quantized = integerLayer(product, largest !== null)
  return {
    layers: [quantized],
    fill: () => quantized.quantizeFrom({ kernel: kernel.value, bias: bias?.value ?? null, largest }),
  }
}

function packedLayer(layer: LayerBase, bits: Bits, groupSize: number | null): Replacement | null {
  const found = packedFrom(layer, { bits, groupSize })
  return found && { layers: [found.layer], fill: found.fill }
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
 * activations per row, while gradients ignore the rounding. It copies the weights and the compile options; `model`
 * is not changed. Afterwards `quantize` returns the int8 model, with the same predictions.
 *
 *   const aware = quantizationAware(model)
 *   await aware.fit(x, y, { epochs: 1 })
 *   const small = quantize(aware)
 *
 * @throws the same errors as `quantize`
 */
export function quantizationAware<Kind extends LayerBase>(model: Kind): Kind {
  requireArguments('quantizationAware', arguments, 1)
  const products = productsIn(pathsIn(copyableGraph('quantizationAware', model)).keys())
  if (products.size === 0) throw new ArgumentError(`quantizationAware: ${model} has no Dense, Conv1D or Conv2D layer`)
  return replaceLayers(model, (layer) => {
    const product = products.get(layer)
    return product === undefined ? null : { layers: [awareLayer(product)], fill: null }
  })
}

/** The layers that can multiply integers. */
function productsIn(layers: Iterable<LayerBase>): ReadonlyMap<LayerBase, Product> {
  const products = [...layers].map(productOf).filter((product) => product !== null)
  return new Map(products.map((product) => [product.layer, product]))
}
