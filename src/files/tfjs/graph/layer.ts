// TfjsGraph: the graph of a graph-model as a layer.

import { FormatError, MyelinError } from '../../../core/errors'
import { configured, required, text } from '../../../core/options'
import { GraphLayer, type ReadGraph } from '../../onnx/graph-layer'
import { readStructure } from './structure'

const TfjsGraphBase = configured(GraphLayer, () => ({
  /** The graph and its constants, without the elements of its weights, as JSON. */
  file: required(text),
}))

/**
 * The graph of a graph-model of TensorFlow.js. Its float tensors are weights under the names of the file, in the layout of
 * the file, which is that of this library.
 */
export class TfjsGraph extends TfjsGraphBase {
  static readonly className = 'TfjsGraph'

  protected override read(): ReadGraph {
    try {
      return readStructure(this.file, String(this))
    } catch (error) {
      if (error instanceof MyelinError) throw error
      throw new FormatError(`${this}: the option file is damaged`, { cause: error })
    }
  }
}
