// A graph-model → a model with the inputs and outputs of its signature, whose weights have the elements of the file.

import type { JsonRecord } from '../../containers/json'
import type { InputOptions } from '../../../models/load-options'
import { GraphModel, readInputOptions, requireInputs, symbolsOf } from '../../onnx/graph-model'
import type { Tensor } from '../../../ops/tensor'
import type { ManifestTensor } from '../manifest'
import { TfjsGraph } from './layer'
import { structureOf } from './structure'

/**
 * The model of a graph-model, which `readTfjs` makes. Its inputs and outputs have the keys of the signature; one input or one output
 * is a plain tensor. It is trained, evaluated and saved like every Model.
 *
 *   const copy = await loadModel('model.safetensors', { customObjects: { TfjsModel, TfjsGraph } })
 *
 * `predict` computes all rows at once if the first axis of an input is not known to be that of the samples: an input must have two
 * axes or more, and its first extent must be open.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- a parameter of type TfjsModel takes every one
export class TfjsModel<const In = any, const Out = any> extends GraphModel<In, Out> {
  static override readonly className: string = 'TfjsModel'
}

/**
 * Makes a model of a graph-model.
 * @param json model.json
 * @param tensors of its weightsManifest
 * @param where names the file in errors
 * @throws FormatError for a damaged graph, and for one with operators that are not available, which lists all of them
 */
export function graphModelFrom<In = Tensor, Out = Tensor>(
  json: JsonRecord,
  tensors: readonly ManifestTensor[],
  where: string,
  options: InputOptions = {},
): TfjsModel<In, Out> {
  const { constants, shapes } = readInputOptions(options)
  const { file, inputs: names, contents } = structureOf(json, tensors, where)
  requireInputs({ constants, shapes }, names)
  let name = 'graph'
  while (names.includes(name)) name += '_'
  const layer = new TfjsGraph({ file, constants, name })
  const { inputs, outputs } = symbolsOf(layer, shapes, where)
  const model: TfjsModel = new TfjsModel({ inputs, outputs: outputs })
  layer.fill(({ proto, weight }) => ({ type: 'float32', shape: weight!.shape, data: contents.get(proto.name)! }))
  return model
}
