// Images of the user as a data set: small colour images, one class for each label.

import { fromPixels } from 'myelin/data'
import type { DataSet } from '../data/form'
import { divided } from '../data/split'
import type { Given } from './protocol'

const SIDE = 24
const CHANNELS = 3

export async function imagesOf(images: NonNullable<Given['images']>): Promise<DataSet> {
  const names = [...new Set(images.map(({ label }) => label))].sort()
  if (names.length < 2)
    throw new Error(
      'Images of at least two classes are needed: a folder with a subfolder for each class, or the camera',
    )
  const width = SIDE * SIDE * CHANNELS
  const x = new Float32Array(images.length * width)
  const canvas = new OffscreenCanvas(SIDE, SIDE)
  const context = canvas.getContext('2d', { willReadFrequently: true })!
  for (const [i, { file }] of images.entries()) {
    const picture = await createImageBitmap(file)
    // The middle square.
    const side = Math.min(picture.width, picture.height)
    context.drawImage(picture, (picture.width - side) / 2, (picture.height - side) / 2, side, side, 0, 0, SIDE, SIDE)
    x.set(fromPixels(context.getImageData(0, 0, SIDE, SIDE), { channels: CHANNELS, scale: 1 / 255 }).data, i * width)
    picture.close()
  }
  const form = {
    kind: 'image',
    task: { kind: 'classes', names },
    inputShape: [SIDE, SIDE, CHANNELS],
    columns: [],
    scale: null,
  } as const
  return divided(
    form,
    x,
    Float32Array.from(images, ({ label }) => names.indexOf(label)),
  )
}
