// OnnxGraph: the graph of an ONNX file as a layer.

import { merged } from '../../core/merged'
import { fromBase64 } from '../../core/base64'
import { FormatError, MyelinError } from '../../core/errors'
import { configured, required, text } from '../../core/options'
import { generatorOf, seedOption } from '../../layers/random'
import type { SeedGenerator } from '../../ops/random/generator'
import { dropout } from '../../ops/random/random'
import type { Tensor } from '../../ops/tensor'
import { readFile } from './file'
import { GraphLayer, type Constants, type ReadGraph } from './graph-layer'
import { graphsIn } from './nodes'
import type { NodeProto } from './proto'
import { initializersOf } from './trained-tensors'

const hasDropout = (nodes: readonly NodeProto[]): boolean =>
  nodes.some((node) => node.type === 'Dropout' || graphsIn(node).some((graph) => hasDropout(graph.nodes)))

export interface OnnxGraphOptions {
  /** The file without the elements of its weights, in base64. */
  file: string
  /** Values of inputs that are the same in every call. Default {}. */
  constants?: Constants
  /** The seed of Dropout. Default null: random. */
  seed?: number | null
  /** Default: the class name in snake_case. */
  name?: string
}

const OnnxGraphBase = configured(GraphLayer, () =>
  merged(seedOption(), {
    /** The file without the elements of its weights, in base64. */
    file: required(text),
  }),
)

/**
 * The graph of an ONNX file, which `loadOnnx` makes. Its float initializers are weights under the names of the file;
 * convolution kernels have the layout of Conv2D, [rows, columns, channels, filters]. In training, Dropout drops elements
 * and BatchNormalization normalizes by the batch.
 */
export class OnnxGraph extends OnnxGraphBase {
  static readonly className = 'OnnxGraph'
  protected readonly generator: SeedGenerator | null

  constructor(...options: [options: OnnxGraphOptions]) {
    super(...options)
    const { graph, functions } = this.graphFile
    const all = [graph, ...functions.values()].flatMap(({ nodes }) => nodes)
    this.generator = hasDropout(all) ? generatorOf(this) : null
  }

  protected override read(): ReadGraph {
    try {
      const file = readFile(fromBase64(this.file), String(this))
      return { file, initializers: initializersOf(file) }
    } catch (error) {
      if (error instanceof MyelinError) throw error
      throw new FormatError(`${this}: the option file must be an ONNX file in base64`)
    }
  }

  protected override dropout(x: Tensor, rate: number): Tensor {
    return dropout(x, rate, { seed: this.generator! })
  }
}
