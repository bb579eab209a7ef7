// Images of the user as a data set, one class for each label.

import { fromPixels } from 'myelin/data'
import type { DataSet } from '../data/form'
import { divided } from '../data/split'
import type { UserFiles } from './protocol'

/** Rows, columns and channels, unless a network needs others. */
const USUAL = [24, 24, 3] as const

export async function imagesOf(
  images: NonNullable<UserFiles['images']>,
  inputShape: readonly number[] = USUAL,
): Promise<DataSet> {
  const names = [...new Set(images.map(({ label }) => label))].sort()
  if (names.length < 2)
    throw new Error(
      'Images of at least two classes are needed: a folder with a subfolder for each class, or the camera',
    )
  const [height = 0, width = 0, depth] = inputShape
  const channels = depth === 1 ? 1 : 3
  const size = height * width * channels
  const x = new Float32Array(images.length * size)
  const canvas = new OffscreenCanvas(width, height)
  const context = canvas.getContext('2d', { willReadFrequently: true })!
  context.imageSmoothingQuality = 'high'
  for (const [i, { file }] of images.entries()) {
    const picture = await createImageBitmap(file)
    // The middle square.
    const side = Math.min(picture.width, picture.height)
    const [left, top] = [(picture.width - side) / 2, (picture.height - side) / 2]
    context.clearRect(0, 0, width, height)
    context.drawImage(picture, left, top, side, side, 0, 0, width, height)
    x.set(fromPixels(context.getImageData(0, 0, width, height), { channels, scale: 1 / 255 }).data, i * size)
    picture.close()
  }
  const y = Float32Array.from(images, ({ label }) => names.indexOf(label))
  const task = { kind: 'classes', names } as const
  return divided({ kind: 'image', task, inputShape: [height, width, channels], columns: [], scale: null }, x, y)
}
