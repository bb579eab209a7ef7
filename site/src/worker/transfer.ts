// Transfer learning: the layers of an opened network are frozen, and a new output is trained on images of the user.

import { Dense, Dropout, GlobalAveragePooling2D, Model, setRandomSeed, type Tensor } from 'myelin'
import type { DataSet } from '../data/form'
import type { Network } from '../model/network'
import { classNameOf, compile } from './build'
import { imagesOf } from './images'
import type { UserFiles } from './protocol'

/** The images in the size that the network takes. */
export async function imagesFor(base: Model, images: NonNullable<UserFiles['images']>): Promise<DataSet> {
  const [, height, width, channels, ...more] = base.inputs[0]!.shape as readonly (number | null)[]
  const fits = base.inputs.length === 1 && height != null && width != null && more.length === 0
  if (!fits || (channels !== 1 && channels !== 3))
    throw new Error(
      `A network for images takes rows, columns and 1 or 3 channels. This one takes [${base.inputs
        .map(({ shape }) =>
          shape
            .slice(1)
            .map((each) => each ?? 'any')
            .join(', '),
        )
        .join('] and [')}].`,
    )
  return imagesOf(images, [height, width, channels])
}

/** The network with a new output for the classes of the images; all its other layers keep their weights. */
export function transferred(base: Model, network: Network): Model {
  setRandomSeed(network.seed)
  for (const layer of base.layers) layer.trainable = false
  const last = base.layers.at(-1)!
  const isClassifier = classNameOf(last) === 'Dense' && base.layers.length > 1
  const found = (isClassifier ? last.input : base.output) as Tensor
  const features = found.shape.length === 4 ? new GlobalAveragePooling2D().apply(found) : found
  const { units, activation } = network.layers.at(-1)!.options as { units: number; activation: 'softmax' }
  const head = new Dense({ units, activation, name: 'new_output' })
  const model = new Model({
    inputs: base.input,
    outputs: head.apply(new Dropout({ rate: 0.2 }).apply(features)),
    name: 'model',
  })
  compile(model, network)
  return model
}
