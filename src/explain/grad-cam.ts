// Grad-CAM: the places of an image that a convolution treats as evidence for a class.

import { numberOf } from '../core/numbers'
import { warn } from '../core/warnings'
import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import { boolean, custom, nullable, option, readOptions } from '../core/options'
import type { Tree } from '../core/tree'
import type { DataOf } from '../data/samples/data-types'
import { Layer, type LayerBase } from '../layers/layer'
import { withTap } from '../layers/context'
import { ConvolutionLayer } from '../layers/convolutional/base'
import { isTableModel } from '../tables/is-table-model'
import type { Model } from '../models/model'
import { multiply, relu } from '../ops/numpy/elementwise'
import { resize } from '../ops/image/resize'
import { mean, sum } from '../ops/numpy/reduce'
import { moveAxis, reshape } from '../ops/numpy/shape'
import { Tensor } from '../ops/tensor'
import { currentTrace } from '../ops/trace'
import { Explained, explainTable, joinOutputs, type ExplainOptions } from './explained'

export interface GradCamOptions<Out = Tensor> extends ExplainOptions<Out> {
  /** The layer to explain, or its name. Default: the last convolution. */
  readonly layer?: string | LayerBase | null
  /** Explains the logits instead of the result of a final softmax or sigmoid, as in the paper. Default true. */
  readonly logits?: boolean
}

export interface GradCam {
  /** In the size of the image, [images, rows, columns], or [sequences, steps]. Not negative. */
  readonly heatMap: Tensor
  /** The same in the size of the layer's output. */
  readonly coarse: Tensor
  /** The explained number, [images]. */
  readonly value: Tensor
  /** The explained unit, [images]; null if `output` is a function. */
  readonly units: Tensor | null
  /** The name of the explained layer. */
  readonly layer: string
  /** The images with a map of zeros, which explains nothing. */
  readonly zeroMaps: readonly number[]
}

const layerKind = custom<string | LayerBase>(
  (value, where) => {
    if (typeof value === 'string' || value instanceof Layer) return value
    throw new ArgumentError(`${where} must be a layer or the name of one, received ${quoted(value)}`)
  },
  () => null,
)
const table = () => ({ ...explainTable(), layer: option(nullable(layerKind), null), logits: option(boolean, true) })

/**
 * Which places of an image are evidence for a class: relu(Σₖ αₖ Aₖ), where Aₖ [rows, columns] are the channels of a
 * layer and αₖ is the mean of ∂f/∂Aₖ over all places. The map has the size of the layer's output and is resized
 * (bilinear) to the image.
 *
 *   const { heatMap } = await gradCam(model, image)   // [1, rows, columns] for an image [1, rows, columns, channels]
 *
 * If a layer is called several times, its last call counts. A map may be 0 everywhere, above all if Flatten follows the
 * layer: then a warning says so, `zeroMaps` lists the image, and `integratedGradients` or `occlusion` explain it.
 * @param image [images, rows, columns, channels], or sequences [sequences, steps, features]; with several inputs, the
 * first of such a shape is explained
 * @throws ArgumentError for a layer that is not part of the model, with a list of its convolutions, and for a layer
 * whose output is not an image; for an int8 model, through which no gradient flows: explain the model that was quantized
 * Selvaraju et al. 2017, "Grad-CAM". Captum: `LayerGradCam`, `relu_attributions=True`.
 */
export async function gradCam<In, Out>(
  model: Model<In, Out>,
  image: DataOf<In>,
  options: GradCamOptions<Out> = {},
): Promise<GradCam> {
  requireArguments('gradCam', arguments, 3)
  const { layer: wanted, ...settings } = readOptions('gradCam', table(), options)
  if (isTableModel(model))
    throw new ArgumentError(
      `gradCam: ${model} reads rows of a table, which have no places. shapleyValues(model, rows) and integratedGradients(model, rows) answer by column.`,
    )
  const explained = Explained.read('gradCam', model, image, settings)
  const layer = layerOf(model, wanted)
  const at = explained.inputs.findIndex(({ rank }) => rank === 4 || rank === 3)
  if (at < 0)
    throw new ArgumentError(
      `gradCam: ${model} has no images [images, rows, columns, channels] and no sequences [sequences, steps, features] as input`,
    )
  const isFirst = 'dataFormat' in layer && layer.dataFormat === 'channelsFirst'
  const row = explained.rowShape(at)
  const size = isFirst ? row.slice(1) : row.slice(0, -1)
  const parts: Tensor[][] = []
  for await (const range of explained.ranges(1)) {
    parts.push(
      explained.run(`${numberOf(layer)} ${at}`, explained.parametersOf(range), (symbols) => {
        const { units, inputs } = explained.split(symbols)
        const seen = outputOf(layer, () => explained.call(inputs))
        const value = explained.score(seen.outputs, units)
        const [gradient] = currentTrace()!.gradients(sum(value), [seen.activation])
        const channelsLast = (tensor: Tensor): Tensor => (isFirst ? moveAxis(tensor, 1, -1) : tensor)
        const [activation, slope] = [channelsLast(seen.activation), channelsLast(gradient!)]
        const places = activation.shape.slice(1, -1).map((_, i) => i + 1)
        const coarse = relu(sum(multiply(activation, mean(slope, places, true)), -1))
        return [resized(coarse, size), coarse, value]
      }),
    )
  }
  const joined = joinOutputs(parts)
  const [heatMap, coarse, value] = [joined[0]!, joined[1]!, joined[2]!]
  const zeroMaps = zeroRows(coarse)
  if (zeroMaps.length > 0)
    warn(
      `gradCam: the map of image ${zeroMaps.slice(0, 5).join(', ')}${zeroMaps.length > 5 ? `, … (${zeroMaps.length} in all)` : ''} is 0 everywhere. ${layer} is weighted by gradients averaged over all places, and with these no place raises the value; this is common if Flatten follows it. integratedGradients(model, image) and occlusion(model, image) explain each place by itself.`,
    )
  return { heatMap, coarse, value, units: explained.units, layer: layer.name, zeroMaps }
}

/** The rows that are 0 everywhere. */
function zeroRows({ data, shape: [rows] }: Tensor): number[] {
  const size = data.length / rows!
  return Array.from({ length: rows! }, (_, row) => row).filter((row) =>
    data.subarray(row * size, (row + 1) * size).every((each) => each === 0),
  )
}

/** Resizes [batch, …places]. */
function resized(map: Tensor, size: readonly number[]): Tensor {
  const [batch, rows, columns] = [map.shape[0]!, map.shape[1]!, map.shape[2] ?? 1]
  const image = resize(reshape(map, [batch, rows, columns, 1]), [size[0]!, size[1] ?? 1])
  return reshape(image, [batch, ...size])
}

function convolutionsIn(model: LayerBase): readonly LayerBase[] {
  return model.allLayers.filter((layer) => layer instanceof ConvolutionLayer)
}

/** @throws ArgumentError for a layer that is not part of the model */
function layerOf(model: LayerBase, wanted: string | LayerBase | null): LayerBase {
  const convolutions = convolutionsIn(model)
  const names = convolutions.map(({ name }) => name)
  const list =
    names.length === 0
      ? 'It has no convolutions; name another layer whose output is [batch, rows, columns, channels].'
      : `Its convolutions: ${names.join(', ')}`
  if (wanted === null) {
    const last = convolutions.at(-1)
    if (last !== undefined) return last
    if (model.weights.some(({ dtype }) => dtype === 'int8'))
      throw new ArgumentError(
        `gradCam: no gradient flows through the int8 layers of ${model}. Explain the float32 model from which it was made: gradCam(model, image). Its answers are nearly the same. occlusion(model, image) needs no gradients and explains the int8 model itself.`,
      )
    throw new ArgumentError(`gradCam: ${model} needs the option layer. ${list}`)
  }
  const found = model.allLayers.find((layer) => layer === wanted || layer.name === wanted)
  if (found !== undefined) return found
  throw new ArgumentError(
    `gradCam: ${typeof wanted === 'string' ? quoted(wanted) : wanted} is not a layer of ${model}. ${list}`,
  )
}

/** The outputs of a run, and the output of one layer in it. Traced. */
function outputOf(layer: LayerBase, run: () => Tree<Tensor>): { outputs: Tree<Tensor>; activation: Tensor } {
  const trace = currentTrace()
  // The output of the last call, if there is one.
  const seen: Tree<Tensor>[] = []
  const outputs = withTap((each, _input, output) => {
    // Values within a loop belong to another trace.
    if (each === layer && currentTrace() === trace) seen[0] = output
    return output
  }, run)
  const [output] = seen
  if (output instanceof Tensor && (output.rank === 4 || output.rank === 3)) return { outputs, activation: output }
  throw new ArgumentError(
    `gradCam: needs a layer that outputs [batch, rows, columns, channels] or [batch, steps, channels]; ${layer} ${whyNoMap(output)}`,
  )
}

/** Why an output of a layer has no places. @param output undefined if the layer was not called */
function whyNoMap(output: Tree<Tensor> | undefined): string {
  if (output === undefined) return 'is not called in the model, or only within a loop'
  return output instanceof Tensor ? `outputs [${output.shape.join(', ')}]` : 'outputs several tensors'
}
