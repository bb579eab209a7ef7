// Dataset.save: the elements of a data set as a file that other programs read, `.npz` or `.csv`, or as a folder of images.

import { encodeUtf8 } from '../core/text'
import type { NumericArray } from '../core/dtypes'
import { ArgumentError, DataError, quoted } from '../core/errors'
import { snakeCase } from '../core/registry'
import { isBranch } from '../core/tree'
import { StringTensor } from '../ops/strings'
import { Tensor } from '../ops/tensor'
import { fileSystem, pathOf, unlessMissing, writeFile, writeNewFolder } from '../engine/runtime/files'
import { requirePath } from '../engine/runtime/platform'
import { collate } from './samples/collate'
import { doublesOf } from './samples/doubles'
import { writeNpz } from './readers/npy'

/** What all elements have at one place: numbers, or strings. */
interface Column {
  /** `x`, `y`, `sample_weight`, or a path within one: `x/image`. */
  readonly name: string
  readonly values: Tensor | readonly string[]
  /** The elements of a float32 tensor before they were rounded; null if they were float32 before. */
  readonly doubles: Float64Array | null
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
  return leavesOf(named, '').map((each) => ({ ...each, name: each.name === '' ? 'x' : each.name }))
}

function leavesOf(tree: unknown, path: string): Column[] {
  if (tree instanceof StringTensor) return [{ name: path, values: tree.strings, doubles: null }]
  if (isStrings(tree)) return [{ name: path, values: tree, doubles: null }]
  if (tree instanceof Tensor) return [{ name: path, values: tree, doubles: doublesOf(tree) }]
  if (!isBranch(tree)) return []
  return Object.entries(tree).flatMap(([key, child]) => leavesOf(child, path === '' ? partName(key) : `${path}/${key}`))
}

const partName = (key: string): string => (PARTS.includes(key) ? snakeCase(key) : key)

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}

function arraysOf(columns: readonly Column[]): Record<string, Tensor> {
  return Object.fromEntries(
    columns.map(({ name, values, doubles }) => {
      if (values instanceof Tensor) {
        if (doubles !== null) requireFloats(name, values, doubles)
        return [name, values]
      }
      throw new DataError(
        `Dataset.save: '${name}' has strings, which .npz files cannot hold. Write a .csv file, or map them to numbers`,
      )
    }),
  )
}

/** @throws DataError for a large number with more digits than a float32 has, and for one beyond its range */
function requireFloats(name: string, { data, shape }: Tensor, doubles: Float64Array): void {
  const at = doubles.findIndex((value, i) => {
    const stored = data[i]!
    if (stored === value || Number.isNaN(value)) return false
    return !Number.isFinite(stored) || stored === 0 || Math.abs(value) >= MOST_EXACT
  })
  if (at < 0) return
  const width = doubles.length / shape[0]!
  const place = width > 1 ? `, element ${at % width}` : ''
  throw new DataError(
    `Dataset.save: '${name}' has ${doubles[at]} in row ${Math.floor(at / width)}${place}, which a float32 cannot hold: it would become ${data[at]}. Give int32 tensors, subtract an offset, or write a .csv file`,
  )
}

/** From it on, float32 has steps of an eighth or more: times and amounts would change, and above 2²⁴ whole numbers. */
const MOST_EXACT = 2 ** 20

function csvOf(columns: readonly Column[]): string {
  const fields = columns.flatMap(({ name, values, doubles }): { name: string; at: (row: number) => string }[] => {
    if (!(values instanceof Tensor)) return [{ name, at: (row) => fieldOf(values[row]!) }]
    const { shape } = values
    const data = doubles ?? values.data
    const [, width = 1] = shape
    if (shape.length > 2)
      throw new DataError(
        `Dataset.save: '${name}' has rows of several axes, which a table cannot hold. Write a .npz file`,
      )
    const textOf = writerOf(data)
    const at = (column: number) => (row: number) => textOf(data[row * width + column]!)
    if (shape.length === 1) return [{ name, at: at(0) }]
    return Array.from({ length: width }, (_, column) => ({ name: `${name}_${column}`, at: at(column) }))
  })
  const values = columns[0]?.values ?? []
  const count = values instanceof Tensor ? values.shape[0]! : values.length
  const lines = [fields.map(({ name }) => fieldOf(name)).join(',')]
  for (let row = 0; row < count; row++) lines.push(fields.map(({ at }) => at(row)).join(','))
  return `${lines.join('\n')}\n`
}

function writerOf(data: NumericArray): (value: number) => string {
  if (data instanceof Float32Array) return numberOf
  return data instanceof Float64Array ? doubleOf : String
}

/** A double with all its digits; empty for NaN, which readers take for a missing value. */
function doubleOf(value: number): string {
  if (Number.isNaN(value)) return ''
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value)
  return value > 0 ? 'inf' : '-inf'
}

/** The shortest text with the same float32. */
function numberOf(value: number): string {
  if (!Number.isFinite(value)) return doubleOf(value)
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

/**
 * Elements [image, class] as PNG files in a subfolder for each class, which `imageFolder` reads. All are checked before one is written, and the
 * folder has its name when all are in it.
 * @throws DataError for a folder that has files: its pictures would be among the new ones
 */
async function writeImages(elements: readonly unknown[], path: string | URL): Promise<void> {
  const where = 'Dataset.save'
  const { files } = fileSystem()
  const folder = pathOf(path, where)
  const there = await files.readdir(folder).catch(unlessMissing)
  if (there !== null && there.length > 0)
    throw new DataError(`${where}: the folder ${quoted(String(path))} has files. Remove them, or name a new folder`)
  const pictures = elements.map(pictureOf)
  const { encode } = await import('fast-png')
  const digits = String(elements.length).length
  await writeNewFolder(path, where, async (temporary, paths) => {
    for (const [i, picture] of pictures.entries()) {
      const inside = paths.join(temporary, picture.folder)
      await files.mkdir(inside, { recursive: true })
      await files.writeFile(paths.join(inside, `${String(i).padStart(digits, '0')}.png`), encode(picture.image))
    }
  })
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
  const [height = 0, width = 0, channels = 0] = image.shape
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
