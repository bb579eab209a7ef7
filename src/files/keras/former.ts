// Functions of Keras 2 that Keras 3 changed.

import type { Json } from '../../core/registry'
import { recordAt, valueAt } from '../containers/json'
import { add, clip, multiply } from '../../ops/numpy/elementwise'
import type { Tensor } from '../../ops/tensor'
import { isObject } from './keras-object'

/** The name under which configurations have the function; a minifier may change that of the function itself. */
export const FORMER_HARD_SIGMOID = 'formerHardSigmoid'

/**
 * min(max(0.2 x + 0.5, 0), 1): `hard_sigmoid` of Keras 2, which models in its files use. Keras 3 has relu6(x + 3) / 6 under that name. A
 * model with it is loaded from a file of this library with `customObjects: { formerHardSigmoid }`.
 */
export function formerHardSigmoid(x: Tensor): Tensor {
  return clip(add(multiply(x, 0.2), 0.5), 0, 1)
}

/** The layers of Keras 3 that compute the same, with the options that matter. */
const LAYERS: readonly (readonly [className: string, config: Readonly<Record<string, number>>])[] = [
  ['Rescaling', { scale: 0.2, offset: 0.5 }],
  ['ReLU', { max_value: 1, negative_slope: 0, threshold: 0 }],
]

/** The function in configurations of Keras 3, which takes a Sequential in place of an activation. */
export function formerHardSigmoidConfig(): Json {
  const layers = LAYERS.map(([className, config], i) => ({
    module: 'keras.layers',
    class_name: className,
    config: { name: `hard_sigmoid_of_keras_2_${i}`, ...config },
    registered_name: null,
  }))
  const config = { name: 'hard_sigmoid_of_keras_2', trainable: true, layers }
  return { module: 'keras', class_name: 'Sequential', config, registered_name: null }
}

/** Whether an activation of a configuration is this Sequential. */
export function isFormerHardSigmoid(saved: Json): boolean {
  if (!isObject(saved) || saved.class_name !== 'Sequential') return false
  const listed = valueAt(recordAt(saved, 'config'), 'layers')
  if (!Array.isArray(listed)) return false
  const layers = listed.filter((each: Json) => !isObject(each) || each.class_name !== 'InputLayer')
  return (
    layers.length === LAYERS.length &&
    LAYERS.every(([className, options], i) => {
      const layer: Json = layers[i]!
      if (!isObject(layer) || layer.class_name !== className) return false
      const config = recordAt(layer, 'config')
      return Object.entries(options).every(([name, value]) => valueAt(config, name) === value)
    })
  )
}
