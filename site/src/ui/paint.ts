// Numbers as pixels.

import type { Task } from '../data/form'
import type { Surface } from '../worker/protocol'
import { palette, type Palette, type Rgb } from './theme'

/** The opacity of colours under points. */
const STRENGTH = 0.62

const mixed = (a: Rgb, b: Rgb, share: number): Rgb => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
]

/** −1 … 1 as a colour between those of class 0 and class 1, with paper in the middle. */
export function diverging(value: number, { classes, paper }: Palette, strength = 1): Rgb {
  const colour = value < 0 ? classes[0]! : classes[1]!
  return mixed(paper, colour, Math.min(1, Math.abs(value)) * strength)
}

/** Pixels of numbers, row by row from the top. */
export function pixels(width: number, height: number, colourOf: (i: number) => Rgb): ImageData {
  const image = new ImageData(width, height)
  const { data } = image
  for (let i = 0; i < width * height; i++) {
    const [r, g, b] = colourOf(i)
    data[4 * i] = r
    data[4 * i + 1] = g
    data[4 * i + 2] = b
    data[4 * i + 3] = 255
  }
  return image
}

/** The answers in the plane. The first row of a surface is the lowest, of an image the highest. */
export function surfacePixels({ side, width, values }: Surface, task: Task): ImageData {
  const colours = palette()
  const { classes, paper } = colours
  const colourAt = (point: number): Rgb => {
    if (task.kind === 'number') return diverging(values[point]!, colours, STRENGTH)
    if (width === 1) return diverging(2 * values[point]! - 1, colours, STRENGTH)
    let colour: Rgb = [0, 0, 0]
    let largest = 0
    for (let i = 0; i < width; i++) {
      const share = values[point * width + i]!
      const ofClass = classes[i % classes.length]!
      colour = [colour[0] + share * ofClass[0], colour[1] + share * ofClass[1], colour[2] + share * ofClass[2]]
      largest = Math.max(largest, share)
    }
    // A class that is as likely as any other has the colour of the paper.
    const certainty = (largest - 1 / width) / (1 - 1 / width)
    return mixed(paper, colour, STRENGTH * (0.25 + 0.75 * certainty))
  }
  return pixels(side, side, (i) => colourAt((side - 1 - Math.floor(i / side)) * side + (i % side)))
}

/** A matrix of numbers around 0, scaled by the largest. */
export function matrixPixels(
  values: ArrayLike<number>,
  width: number,
  height: number,
  most = largest(values),
): ImageData {
  const colours = palette()
  return pixels(width, height, (i) => diverging(values[i]! / most, colours))
}

/** A map of the plane of a unit, around 0; its first row is the lowest. */
export function mapPixels(values: Float32Array, side: number): ImageData {
  const most = largest(values)
  const colours = palette()
  return pixels(side, side, (i) =>
    diverging(values[(side - 1 - Math.floor(i / side)) * side + (i % side)]! / most, colours),
  )
}

/** An image in grey or in colours, 0 … 1. */
export function imagePixels(
  values: ArrayLike<number>,
  [height = 1, width = 1, channels = 1]: readonly number[],
): ImageData {
  const { paper, ink } = palette()
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(ink.slice(at, at + 2), 16)) as [number, number, number]
  return pixels(width, height, (i) => {
    if (channels === 3) return [255 * values[3 * i]!, 255 * values[3 * i + 1]!, 255 * values[3 * i + 2]!]
    return mixed(paper, [r, g, b], Math.min(1, Math.max(0, values[i]!)))
  })
}

export function largest(values: ArrayLike<number>): number {
  let most = 0
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!))
  return most || 1
}

/** Draws pixels over a whole canvas, smoothly or as squares. */
export function fill(context: CanvasRenderingContext2D, image: ImageData, isSmooth: boolean): void {
  const { canvas } = context
  if (scratch.width !== image.width || scratch.height !== image.height) {
    scratch.width = image.width
    scratch.height = image.height
  }
  scratch.getContext('2d')!.putImageData(image, 0, 0)
  context.imageSmoothingEnabled = isSmooth
  context.imageSmoothingQuality = 'high'
  context.drawImage(scratch, 0, 0, canvas.width, canvas.height)
}
const scratch = document.createElement('canvas')
