// The classes of float32 layers that have a form which multiplies integers, each with that form and with the class that
// trains for it. quantize.ts decides which layers of a model are replaced.

import { internalError } from '../core/errors'
import { optionsOf } from '../core/options'
import { Conv1D, Conv2D, Dense } from '../layers'
import { Layer, type LayerBase } from '../layers/layer'
import { computesAs } from '../layers/declared-units'
import { MOST_PRODUCTS } from '../engine/primitives/quantized'
import { QuantizationAwareConv1D, QuantizationAwareConv2D, QuantizationAwareDense } from './fake-quantization'
import { IntegerProduct, QuantizedConv1D, QuantizedConv2D, QuantizedDense } from './quantized-layers'

/** A layer that can multiply integers. */
type Quantizable = Dense | Conv1D | Conv2D

type ClassOf<Kind> = (abstract new (options: never) => Kind) & { readonly prototype: Kind }

interface ProductForm {
  readonly float: ClassOf<Quantizable>
  /** Computes in float32 with values rounded to int8. */
  readonly aware: ClassOf<Quantizable>
  readonly quantized: ClassOf<IntegerProduct>
  /** The options of the quantized layer that the float32 layer has, too. */
  readonly options: readonly string[]
}

const WINDOW = ['filters', 'kernelSize', 'strides', 'padding', 'dilationRate', 'dataFormat']

const FORMS: readonly ProductForm[] = [
  { float: Dense, aware: QuantizationAwareDense, quantized: QuantizedDense, options: ['units'] },
  { float: Conv1D, aware: QuantizationAwareConv1D, quantized: QuantizedConv1D, options: WINDOW },
  { float: Conv2D, aware: QuantizationAwareConv2D, quantized: QuantizedConv2D, options: WINDOW },
]

/** A layer that can multiply integers, and its form. */
export interface Product {
  readonly layer: Quantizable
  readonly form: ProductForm
}

/** null for a layer whose computation is unknown, or impossible in integers. */
export function productOf(layer: LayerBase): Product | null {
  for (const form of FORMS)
    if (computesAs(layer, form.float) || computesAs(layer, form.aware))
      return isPossible(layer) ? { layer, form } : null
  return null
}

function isPossible(layer: Quantizable): boolean {
  const { kernel } = layer
  if (kernel.size / kernel.shape.at(-1)! > MOST_PRODUCTS) return false
  return !('groups' in layer) || layer.groups === 1
}

/** A layer that multiplies integers in place of a float32 layer; its weights are not set. */
export function integerLayer({ layer, form: { quantized, options } }: Product, calibrated: boolean): IntegerProduct {
  const values = valuesOf(layer, ['name', 'activation', ...options])
  const made: unknown = Reflect.construct(quantized, [{ ...values, calibrated }])
  if (made instanceof IntegerProduct) return made
  throw internalError(`${layer} has no form with integers`)
}

/** A layer that trains for integers in place of a float32 layer; its weights are not set. */
export function awareLayer({ layer, form: { aware } }: Product): LayerBase {
  const made: unknown = Reflect.construct(aware, [valuesOf(layer, Object.keys(optionsOf(layer.constructor)))])
  if (made instanceof Layer) return made
  throw internalError(`${layer} has no form that trains for integers`)
}

/** The values of some options, as the layer has them. */
function valuesOf(layer: LayerBase, names: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(names.map((name): [string, unknown] => [name, Reflect.get(layer, name)]))
}
