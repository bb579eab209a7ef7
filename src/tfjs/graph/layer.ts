// TfjsGraph: the graph of a graph-model as a layer.

import { FormatError, MyelinError } from '../../core/errors'
import { configured, required, text } from '../../core/options'
import type { Constants, ReadGraph } from '../../onnx/graph-layer'
import { GraphLayer } from '../../onnx/graph-layer'
import { readStructure } from './structure'

export interface TfjsGraphOptions {
  /** The graph and its constants, without the elements of its weights, as JSON. */
  file: string
  /** Values of inputs that are the same in every call. Default {}. */
  constants?: Constants
  /** Default: the class name in snake_case. */
  name?: string
}

/**
 * The graph of a graph-model of TensorFlow.js. Its float tensors are weights under the names of the file, in the layout of
 * the file, which is that of this library.
 */
export class TfjsGraph extends configured(GraphLayer, () => ({
  /** The graph and its constants, without the elements of its weights, as JSON. */
  file: required(text),
})) {
  static readonly className = 'TfjsGraph'

  constructor(...given: [options: TfjsGraphOptions]) {
    super(...given)
  }

  protected override read(): ReadGraph {
    try {
      return readStructure(this.file, String(this))
    } catch (error) {
      if (error instanceof MyelinError) throw error
      throw new FormatError(`${this}: the option file is damaged`, { cause: error })
    }
  }
}
