// Dataset.save: the elements of a data set as a file that other programs read, `.npz` or `.csv`, or as a folder of images.

import { encodeUtf8 } from '../core/text'
import { ArgumentError, DataError, quoted } from '../core/errors'
import { snakeCase } from '../core/registry'
import { isBranch } from '../core/tree'
import { StringTensor } from '../ops/strings'
import { Tensor } from '../ops/tensor'
import { fileSystem, pathOf, writeFile } from '../runtime/files'
import { requirePath } from '../runtime/platform'
import { collate } from './collate'
import { writeNpz } from './readers/npy'

/** What all elements have at one place: numbers, or strings. */
interface Column {
  /** `x`, `y`, `sample_weight`, or a path within one: `x/image`. */
  readonly name: string
  readonly values: Tensor | readonly string[]
}

/** The parts of elements that are lists: [x, y, sampleWeight]. */
const PARTS = ['x', 'y', 'sampleWeight']

/** Writes elements in the format of the path. */
export async function saveElements(elements: readonly unknown[], path: string | URL): Promise<void> {
  const where = 'Dataset.save'
  requirePath(path, where)
  const text = String(path)
  if (elements.length === 0) throw new DataError(`${where}: the data set has no elements`)
  if (text.endsWith('.npz')) await writeNpz(arraysOf(columnsOf(elements)), path, { compressed: true })
  else if (text.endsWith('.csv')) await writeFile(path, encodeUtf8(csvOf(columnsOf(elements))), where)
  else if (/[/\\]$/.test(text)) await writeImages(elements, path)
  else
    throw new ArgumentError(
      `${where}: the path must end in .npz, in .csv, or in / for a folder of images, received ${quoted(text)}`,
    )
}

/** @throws DataError for elements of different structure or shape */
function columnsOf(elements: readonly unknown[]): Column[] {
  const tree = collate(elements, 'Dataset.save')
  const isParts = Array.isArray(elements[0]) && Array.isArray(tree) && tree.every((each) => typeof each === 'object')
  const named = isParts ? Object.fromEntries(tree.map((part: unknown, i) => [PARTS[i] ?? String(i), part])) : tree
  return leavesOf(named, '').map(({ name, values }) => ({ name: name === '' ? 'x' : name, values }))
}

function leavesOf(tree: unknown, path: string): Column[] {
  if (tree instanceof StringTensor) return [{ name: path, values: tree.strings }]
  if (tree instanceof Tensor || isStrings(tree)) return [{ name: path, values: tree }]
  return Object.entries(tree as object).flatMap(([key, child]) =>
    leavesOf(child, path === '' ? (PARTS.includes(key) ? snakeCase(key) : key) : `${path}/${key}`),
  )
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}

function arraysOf(columns: readonly Column[]): Record<string, Tensor> {
  return Object.fromEntries(
    columns.map(({ name, values }) => {
      if (values instanceof Tensor) return [name, values]
      throw new DataError(
        `Dataset.save: '${name}' has strings, which .npz files cannot hold. Write a .csv file, or map them to numbers`,
      )
    }),
  )
}

function csvOf(columns: readonly Column[]): string {
  const fields = columns.flatMap(({ name, values }): { name: string; at: (row: number) => string }[] => {
    if (!(values instanceof Tensor)) return [{ name, at: (row) => fieldOf(values[row]!) }]
    const { data, shape } = values
    const [, width = 1] = shape
    if (shape.length > 2)
      throw new DataError(
        `Dataset.save: '${name}' has rows of several axes, which a table cannot hold. Write a .npz file`,
      )
    const textOf = data instanceof Float32Array ? numberOf : String
    const at = (column: number) => (row: number) => textOf(data[row * width + column]!)
    if (shape.length === 1) return [{ name, at: at(0) }]
    return Array.from({ length: width }, (_, column) => ({ name: `${name}_${column}`, at: at(column) }))
  })
  const [first] = columns
  const count = first === undefined ? 0 : first.values instanceof Tensor ? first.values.shape[0]! : first.values.length
  const lines = [fields.map(({ name }) => fieldOf(name)).join(',')]
  for (let row = 0; row < count; row++) lines.push(fields.map(({ at }) => at(row)).join(','))
  return `${lines.join('\n')}\n`
}

/** The shortest text with the same float32; empty for NaN, which readers take for a missing value. */
function numberOf(value: number): string {
  if (Number.isNaN(value)) return ''
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return String(short)
  }
  return String(value)
}

function fieldOf(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** A file of a folder of images. */
interface Picture {
  /** The name of the class, which is that of the subfolder. */
  readonly folder: string
  readonly image: {
    readonly width: number
    readonly height: number
    readonly channels: number
    readonly depth: 8
    readonly data: Uint8Array
  }
}

/** Elements [image, class] as PNG files in a subfolder for each class, which `imageFolder` reads. All are checked before one is written. */
async function writeImages(elements: readonly unknown[], path: string | URL): Promise<void> {
  const where = 'Dataset.save'
  const { files, paths } = fileSystem()
  const folder = pathOf(path, where)
  const pictures = elements.map(pictureOf)
  const { encode } = await import('fast-png')
  const digits = String(elements.length).length
  for (const [i, picture] of pictures.entries()) {
    const inside = paths.join(folder, picture.folder)
    await files.mkdir(inside, { recursive: true })
    await writeFile(paths.join(inside, `${String(i).padStart(digits, '0')}.png`), encode(picture.image), where)
  }
}

/** @throws DataError for an element of another kind */
function pictureOf(element: unknown, i: number): Picture {
  const [image, label] = partsOf(element)
  const name = label instanceof Tensor && label.size === 1 ? String(label.item()) : label
  const isName =
    typeof name === 'number' || (typeof name === 'string' && /^[^/\\:\0]+$/.test(name) && !/^\.+$/.test(name))
  if (!(image instanceof Tensor) || image.rank !== 3 || ![1, 2, 3, 4].includes(image.shape[2]!) || !isName)
    throw new DataError(
      `Dataset.save: element ${i} of a folder of images must be [image, class]. An image is [rows, columns, channels] with 1 to 4 channels, a class is a number or a name`,
    )
  const [height, width, channels] = image.shape as readonly [number, number, number]
  return { folder: String(name), image: { width, height, channels, depth: 8, data: bytesOf(image, i) } }
}

function partsOf(element: unknown): readonly [unknown, unknown] {
  if (Array.isArray(element)) return [element[0], element[1]]
  return isBranch(element) ? [Reflect.get(element, 'x'), Reflect.get(element, 'y')] : [element, undefined]
}

/** @throws DataError for numbers that are not from 0 to 255 */
function bytesOf({ data }: Tensor, element: number): Uint8Array {
  let [least, most, isWhole] = [Infinity, -Infinity, true]
  for (const value of data) {
    least = Math.min(least, value)
    most = Math.max(most, value)
    isWhole &&= Number.isInteger(value)
  }
  if (least >= 0 && most <= 255 && (most > 1 || isWhole)) return Uint8Array.from(data, Math.round)
  throw new DataError(
    `Dataset.save: element ${element}: images need numbers from 0 to 255, received ${least} to ${most}${most <= 1 ? '. Multiply them by 255' : ''}`,
  )
}
