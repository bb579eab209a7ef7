// quantizationReport: which layers of a model have integer weights, and why the others do not.

import { requireArguments } from '../core/arguments'
import { classNameOf } from '../core/registry'
import { formatBytes } from '../core/table'
import { inFiles } from '../layers/saved-weights'
import type { LayerBase } from '../layers/layer'
import { isKernel } from '../layers/units'
import { knownGraph, pathsIn } from '../models/known-graph'
import { packedBase, packingOf } from './packed-layers'
import { IntegerProduct } from './quantized-layers'
import { Report, type Table } from './report'

/** A layer with weights. */
export interface QuantizationRow {
  /** Its name, with the names of the models that contain it: `encoder/hidden`. */
  readonly name: string
  readonly className: string
  /** The bits of a weight: 8 or 4, or 32 for float32. */
  readonly bits: 4 | 8 | 32
  /** Whether the layer multiplies integers. Otherwise its integers become float32 when a file is read. */
  readonly multipliesIntegers: boolean
  /** The bytes of its weights in float32. */
  readonly bytesBefore: number
  /** The bytes of its weights in a file. */
  readonly bytes: number
  /** Why it stays float32; null if it does not. */
  readonly why: string | null
}

/** The coverage of a quantized model by layer. Consoles show it as a table. */
export class QuantizationReport extends Report {
  /** The bytes of all weights in float32. */
  readonly bytesBefore: number
  /** The bytes of all weights in a file. */
  readonly bytes: number

  constructor(
    /** The name of the model. */
    readonly model: string,
    readonly rows: readonly QuantizationRow[],
  ) {
    super()
    this.bytesBefore = rows.reduce((sum, row) => sum + row.bytesBefore, 0)
    this.bytes = rows.reduce((sum, row) => sum + row.bytes, 0)
  }

  /** Plain data. */
  toJSON(): Pick<QuantizationReport, 'model' | 'rows' | 'bytesBefore' | 'bytes'> {
    const { model, rows, bytesBefore, bytes } = this
    return { model, rows, bytesBefore, bytes }
  }

  protected table(): Table {
    const cells = ({ bytesBefore, bytes }: Pick<QuantizationRow, 'bytesBefore' | 'bytes'>): string[] => [
      formatBytes(bytesBefore),
      formatBytes(bytes),
      `${(bytes / Math.max(1, bytesBefore)).toFixed(3)} ×`,
    ]
    const rows = this.rows.map((row) => [
      `${row.name} (${row.className})`,
      ...cells(row),
      row.why === null
        ? `int${row.bits}${row.multipliesIntegers ? ', multiplies integers' : ' in files'}`
        : `float32: ${row.why}`,
    ])
    return {
      title: `Weights of "${this.model}"`,
      head: ['Layer', 'float32', 'File', 'Share', 'Weights'],
      rows: [...rows, ['Total', ...cells(this), '']],
      numbers: [1, 4],
    }
  }
}

/**
 * Which layers of a model have integer weights, their bytes before and after, and why the others stay float32.
 *
 *   const small = quantize(model)
 *   quantizationReport(small).print()
 *   quantizationReport(small).rows.filter(({ why }) => why !== null)
 *
 * Layers without weights have no row.
 * @param model a result of `quantize`, also one that was saved and loaded
 * @throws ArgumentError unless `model` is a Sequential or functional model; StateError for a model that is not built
 */
export function quantizationReport(model: LayerBase): QuantizationReport {
  requireArguments('quantizationReport', arguments, 1)
  const paths = pathsIn(knownGraph('quantizationReport', model))
  return new QuantizationReport(
    model.name,
    [...paths].filter(([layer]) => layer.weights.length > 0).map(([layer, name]) => rowOf(layer, name)),
  )
}

function rowOf(layer: LayerBase, name: string): QuantizationRow {
  const isProduct = layer instanceof IntegerProduct
  const packing = packingOf(layer)
  const elements = isProduct
    ? layer.kernel.size + layer.biasSize
    : layer.weights.reduce((sum, { size }) => sum + size, 0)
  return {
    name,
    className: classNameOf(layer),
    bits: isProduct ? 8 : (packing?.bits ?? 32),
    multipliesIntegers: isProduct,
    bytesBefore: 4 * elements,
    bytes: inFiles(layer.weights).reduce((sum, { byteLength }) => sum + byteLength, 0),
    why: isProduct || packing !== null ? null : whyFloat(layer),
  }
}

/** Why `quantize` leaves a layer as it is. */
export function whyFloat(layer: LayerBase): string {
  if (packingOf(layer) !== null || layer instanceof IntegerProduct) return 'its weights are integers already'
  if (!layer.weights.some(isKernel)) return 'it has no kernel'
  const base = packedBase(layer)
  if (base === null) return `${classNameOf(layer)} has no form with integers`
  return base.isExact ? 'its scales would take as much as its weights' : 'it overrides the computation of its class'
}
