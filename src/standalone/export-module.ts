// exportModule: a model as files that need nothing else.

import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import { choice, extent, nullable, option, readOptions, recordOf, text } from '../core/options'
import { sizeOf } from '../core/shapes'
import type { Cell } from '../engine/ir/graph'
import { writeFile } from '../engine/runtime/files'
import { cellView } from '../engine/runtime/runtime'
import { extents, type AnyModel } from '../models/ends'
import { Model } from '../models/model'
import { isTableModel } from '../tables/is-table-model'
import type { TableDescription } from '../tables/table-model'
import { declarations, infoText } from './frame/declarations'
import { predictText } from './frame/predict-text'
import { comment } from './frame/quote'
import { tableText } from './frame/table-text'
import { wasmText } from './frame/wasm-text'
import { packWeights } from './frame/weights'
import { imageOf, type MemoryImage } from './image'
import { tracedRow, type TracedModel } from './traced'
import { standaloneWasm } from './wasm/standalone'
import { wasmOf } from './wasm/engine'

export interface ExportOptions {
  /** What computes: 'wasm', the kernels of the library that the model uses. Default 'wasm'. */
  engine?: 'wasm'
  /** Where the weights are: 'inline', as text in the module; or 'beside', a file that the module reads while it is imported. Default 'inline'. */
  weights?: 'inline' | 'beside'
  /**
   * How weights are stored: 'float32', 'float16', or 'int8' with a scale for each column of a matrix. The module computes with float32; fewer
   * bits change its answers. Biases and other small weights stay float32. Default 'float32'.
   */
  precision?: 'float32' | 'float16' | 'int8'
  /** Where the binary is: 'inline'; or 'file', which the module imports, for hosts such as workerd that compile no bytes. Default 'inline'. */
  wasm?: 'inline' | 'file'
  /** Shapes of inputs, by their names, that fix open extents of the model. The first extent, the batch, is null. Default {}. */
  shapes?: Readonly<Record<string, readonly (number | null)[]>>
  /** The rows that a `.wasm` file takes in one call of `run`. Default null: 64. */
  maxRows?: number | null
  /** Lines for the comment at the top of the file, such as a licence and the accuracy. Default null: none. */
  comment?: string | null
  /** The largest size of all files, in bytes. Default null: any. */
  maxBytes?: number | null
}

const table = {
  engine: option(choice('wasm'), 'wasm'),
  weights: option(choice('inline', 'beside'), 'inline'),
  precision: option(choice('float32', 'float16', 'int8'), 'float32'),
  wasm: option(choice('inline', 'file'), 'inline'),
  shapes: option(recordOf(extents), {}),
  maxRows: option(nullable(extent), null),
  comment: option(nullable(text), null),
  maxBytes: option(nullable(extent), null),
}
type Settings = ReturnType<typeof readSettings>

function readSettings(where: string, options: ExportOptions) {
  return readOptions(where, table, options)
}

/** A file of an exported module. */
export interface ExportedFile {
  /** Without a folder. */
  readonly name: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/**
 * Writes a model as a file that needs nothing else: no library, no network, no eval.
 *
 *   await exportModule(model, 'price.js')     // an ES module, and price.d.ts
 *   await exportModule(model, 'price.wasm')   // one WebAssembly module, for other languages
 *
 *   import { predict } from './price.js'
 *   predict([5.1, 3.5, 1.4, 0.2])             // synchronous: the output of one row, or of each row of an array
 *
 * A module computes row by row: the results are those of `predict(x, { batchSize: 1 })` with plain SIMD, bit for bit. A TableModel takes rows
 * as they are in the table, and gives `{ label, probabilities }` or a number. Inputs and outputs with names are records. The same model gives
 * the same bytes.
 * @param path ends with .js, .mjs or .wasm
 * @returns the files, the module first
 * @throws ArgumentError for a path with another ending, an input with open extents, a layer that no module has, and files larger than `maxBytes`;
 * StateError for a model that is not built, or if there is no file system. Nothing is written then
 */
export async function exportModule(
  model: Model,
  path: string | URL,
  options: ExportOptions = {},
): Promise<readonly ExportedFile[]> {
  requireArguments('exportModule', arguments, 3)
  const files = filesOf('exportModule', model, path, options)
  const folder = String(path).slice(0, -files[0]!.name.length)
  for (const { name, bytes } of files) await writeFile(placeOf(path, folder + name), bytes, 'exportModule')
  return files
}

/**
 * The files of `exportModule`, without writing them: for pages, which offer them for download.
 *
 *   const [module] = moduleFiles(model, 'price.js')
 * @throws what `exportModule` throws
 */
export function moduleFiles(model: Model, name: string, options: ExportOptions = {}): readonly ExportedFile[] {
  requireArguments('moduleFiles', arguments, 3)
  return filesOf('moduleFiles', model, name, options)
}

function placeOf(path: string | URL, place: string): string | URL {
  return path instanceof URL ? new URL(place) : place
}

const ENDINGS = ['.js', '.mjs', '.wasm'] as const
type Ending = (typeof ENDINGS)[number]
const MAX_ROWS = 64
const DECLARATIONS = { '.js': '.d.ts', '.mjs': '.d.mts' } as const

function endingOf(where: string, path: unknown): { readonly name: string; readonly ending: Ending } {
  if (typeof path !== 'string' && !(path instanceof URL))
    throw new ArgumentError(`${where}: expected a path, received ${quoted(path)}`)
  const name = String(path).split(/[/\\]/).at(-1)!
  const ending = ENDINGS.find((each) => name.endsWith(each) && name !== each)
  if (ending !== undefined) return { name, ending }
  throw new ArgumentError(
    `${where}: ${quoted(String(path))} must end with .js or .mjs for a module of JavaScript, or .wasm for WebAssembly alone`,
  )
}

function filesOf(where: string, model: Model, path: string | URL, options: ExportOptions): readonly ExportedFile[] {
  const settings = readSettings(where, options)
  if (!(model instanceof Model)) throw new ArgumentError(`${where}: expected a model, received ${quoted(model)}`)
  const { name, ending } = endingOf(where, path)
  requireReadOptions(where, ending, settings)
  const traced = tracedRow(model as AnyModel, settings.shapes)
  const known = isTableModel(model) ? model.table : null
  const header = headerOf(model as AnyModel, traced, settings)
  const files =
    ending === '.wasm'
      ? [wasmFile(name, model, traced, known, settings)]
      : moduleOf(name, ending, traced, known, header, settings)
  const size = files.reduce((sum, { bytes }) => sum + bytes.length, 0)
  if (settings.maxBytes !== null && size > settings.maxBytes)
    throw new ArgumentError(
      `${where}: the files have ${size} bytes, more than maxBytes ${settings.maxBytes}. economize and quantize of myelin/thrift make models smaller.`,
    )
  return files
}

/** @throws ArgumentError for an option that a file of this kind does not read */
function requireReadOptions(where: string, ending: Ending, settings: Settings): void {
  const { weights, precision, wasm, comment: lines, maxRows } = settings
  const isBare = ending === '.wasm'
  const unread = isBare
    ? {
        weights: weights !== 'inline',
        precision: precision !== 'float32',
        wasm: wasm !== 'inline',
        comment: lines !== null,
      }
    : { maxRows: maxRows !== null }
  const name = Object.entries(unread).find(([, isGiven]) => isGiven)?.[0]
  if (name === undefined) return
  const fitting = isBare ? 'modules of JavaScript, .js and .mjs' : 'files that end with .wasm'
  throw new ArgumentError(`${where}: the option ${name} is for ${fitting}`)
}

/** The module of JavaScript, its declarations, and the files beside it. */
function moduleOf(
  name: string,
  ending: keyof typeof DECLARATIONS,
  traced: TracedModel,
  known: TableDescription | null,
  header: string,
  { weights: placeOfWeights, precision, wasm }: Settings,
): readonly ExportedFile[] {
  const title = name.slice(0, -ending.length)
  const image = imageFor(traced)
  const binary = wasmOf(image)
  const weights = packWeights(image, precision)
  const beside = {
    binary: wasm === 'file' ? `${title}.wasm` : null,
    weights: placeOfWeights === 'beside' && weights.bytes.length > 0 ? `${title}.weights` : null,
  }
  const engine = wasmText(image, binary, weights, beside)
  const predict = known === null ? predictText(traced, engine) : tableText(traced, known, engine)
  const text = [
    comment(header),
    '',
    engine.text,
    predict,
    `const info = ${infoText(traced)}`,
    'export { info, predict }',
    '',
  ]
  return [
    fileOf(name, text.join('\n')),
    fileOf(title + DECLARATIONS[ending], declarations(traced, known, header)),
    ...(beside.binary === null ? [] : [{ name: beside.binary, bytes: binary }]),
    ...(beside.weights === null ? [] : [{ name: beside.weights, bytes: weights.bytes }]),
  ]
}

function fileOf(name: string, content: string): ExportedFile {
  return { name, bytes: new TextEncoder().encode(content) }
}

function wasmFile(
  name: string,
  model: Model,
  traced: TracedModel,
  known: TableDescription | null,
  { maxRows }: Settings,
): ExportedFile {
  const strings = traced.inputs.find(({ readers }) => readers !== null)
  if (strings !== undefined)
    throw new ArgumentError(
      `${String(model)}: a .wasm file takes numbers, and the input ${quoted(strings.name)} has strings, which ${strings.readers!.map(String).join(' and ')} reads. Export a module of JavaScript, with the ending .js.`,
    )
  return {
    name,
    bytes: standaloneWasm(imageFor(traced), traced, { maxRows: maxRows ?? MAX_ROWS, classes: known?.classes ?? null }),
  }
}

function imageFor({ graph, runtime }: TracedModel): MemoryImage {
  return imageOf(graph, (cell: Cell) => {
    const content = cellView(runtime, cell).slice()
    return new Uint8Array(content.buffer)
  })
}

/** `classifier: [4] → [3]; 67 weights`, and the lines of the user. */
function headerOf(
  model: AnyModel,
  { inputs, outputs, graph }: TracedModel,
  { engine, comment: lines }: Settings,
): string {
  const shapes = (ports: readonly { readonly shape: readonly number[] }[]): string =>
    ports.map(({ shape }) => `[${shape.join(', ')}]`).join(', ')
  const weights = [...graph.cells.keys()].reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  const first = `${model.name}: ${shapes(inputs)} → ${shapes(outputs)}, ${weights} weights. Made by myelin's exportModule (engine ${engine}); do not edit.`
  return lines === null ? first : `${first}\n${lines}`
}
