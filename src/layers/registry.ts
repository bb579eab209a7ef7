// Layers by the name under which they are saved. Only code that reads saved models imports it, so that other pages
// carry only the layers that they use.

import { Registry } from '../core/registry'
import * as activations from '../parts/activations/functions'
import * as ops from '../ops'
import * as image from '../ops/image'
import { tensor, type TensorLike } from '../ops/convert'
import * as random from '../ops/random/random'
import type { Tensor } from '../ops/tensor'
import { Layer } from './layer'
import { Operation, readOpsFrom } from './core/operation'
import * as all from './'

/** An op that gives a number as one that gives a tensor, as files have it. */
const asTensor =
  (op: (x: TensorLike) => unknown) =>
  (x: TensorLike): Tensor =>
    tensor(Int32Array.of(Number(op(x))), [])

export const layers = /* @__PURE__ */ new Registry<Layer>('layer', Layer, () => {
  readOpsFrom({ ...ops, image, size: asTensor(ops.size), ndim: asTensor(ops.ndim), random, activations })
  return { ...all, Operation }
})

/** The classes of all layers by every name that they have, such as MaxPooling2D and MaxPool2D. */
export function layersByName(): Readonly<Record<string, unknown>> {
  const classes = Object.values(layers.all)
  const exported = Object.entries<unknown>(all).filter(([, value]) => classes.some((each) => each === value))
  return { ...Object.fromEntries(exported), ...layers.all }
}
