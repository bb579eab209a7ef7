// The tensors of a model: from one safetensors file, or from several and their index. Only headers are read here; a tensor is read when
// it is needed, a block of rows at a time.
//
//   0        8          8 + n
//   ┌────────┬──────────┬─────────────────────┐
//   │ n u64  │ JSON (n) │ data, little-endian │       JSON: { name: { dtype, shape, data_offsets: [begin, end] } }
//   └────────┴──────────┴─────────────────────┘

import { FormatError, formatShape, quoted } from '../../core/errors'
import { repeatedKey } from '../../core/json'
import type { Json } from '../../core/registry'
import { sizeOf, type Shape } from '../../core/shapes'
import { decodeUtf8 } from '../../core/text'
import { isNumbers, isRecord, itemsOf, type JsonRecord } from '../../files/containers/json'
import { NUMBERS, type NumberKind } from './numbers'
import type { PresetFile, PresetFolder } from './preset-folder'

/** A tensor in a file, whose numbers are read when they are needed. */
export interface StoredTensor {
  readonly name: string
  readonly shape: Shape
  /** The numbers of all rows, or of those in from ≤ row < to, along the first axis. */
  read(from?: number, to?: number): Promise<Float32Array>
}

const WEIGHTS = 'model.safetensors'
const LENGTH_BYTES = 8
const LARGEST_HEADER = 100_000_000

/**
 * The tensors of a folder by name.
 * @param name the file, next to which an index of several may be
 * @throws FormatError naming the file and the reason, for files that are missing or damaged
 */
export async function openWeights(folder: PresetFolder, name = WEIGHTS): Promise<ReadonlyMap<string, StoredTensor>> {
  const index = await folder.json(`${name}.index.json`)
  if (index !== null) return fromShards(folder, index, `${name}.index.json`)
  const file = await folder.open(name)
  if (file !== null) return tensorsIn(file)
  const pickles = (await folder.list()).filter((each) => /\.(bin|pt|pth|pkl|ckpt)$/.test(each))
  if (pickles.length === 0) throw new FormatError(`${folder.name} has no ${name}`)
  throw new FormatError(
    `${folder.name} has its weights in ${pickles[0]}. Reading such a file executes code that it contains, so it is refused. Save the model again with model.save_pretrained(folder, safe_serialization=True)`,
  )
}

async function fromShards(
  folder: PresetFolder,
  index: Json,
  where: string,
): Promise<ReadonlyMap<string, StoredTensor>> {
  const map = isRecord(index) ? index['weight_map'] : undefined
  if (!isRecord(map)) throw new FormatError(`${folder.name}: ${where} has no record 'weight_map'`)
  const shards = new Map<string, ReadonlyMap<string, StoredTensor>>()
  const tensors = new Map<string, StoredTensor>()
  for (const [name, shard] of Object.entries(map)) {
    if (typeof shard !== 'string' || !/^[\w-][\w.-]*\.safetensors$/.test(shard))
      throw new FormatError(
        `${folder.name}: ${where} must name a file of this folder for ${quoted(name)}, it has ${quoted(shard)}`,
      )
    let content = shards.get(shard)
    if (content === undefined) {
      const file = await folder.open(shard)
      if (file === null) throw new FormatError(`${folder.name}: ${where} names ${shard}, which is missing`)
      content = await tensorsIn(file)
      shards.set(shard, content)
    }
    const tensor = content.get(name)
    if (tensor === undefined)
      throw new FormatError(
        `${folder.name}: ${where} says that ${quoted(name)} is in ${shard}, which has no such tensor`,
      )
    tensors.set(name, tensor)
  }
  return tensors
}

/** The tensors of a safetensors file. @throws FormatError for a damaged or truncated file */
async function tensorsIn(file: PresetFile): Promise<ReadonlyMap<string, StoredTensor>> {
  const damaged = (why: string): FormatError => new FormatError(`${file.name} is damaged or truncated: ${why}`)
  if (file.size < LENGTH_BYTES) throw damaged(`it has ${file.size} bytes`)
  const first = await file.read(0, LENGTH_BYTES)
  const view = new DataView(first.buffer, first.byteOffset)
  const length = view.getUint32(0, true)
  const start = LENGTH_BYTES + length
  if (view.getUint32(4, true) !== 0 || length > LARGEST_HEADER || start > file.size)
    throw damaged(`its header should end at byte ${start}, it has ${file.size}`)
  const header = headerIn(await file.read(LENGTH_BYTES, start), damaged)
  const tensors = new Map<string, StoredTensor>()
  let used = 0
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const { shape, kind, begin, end } = entryOf(name, entry, damaged)
    if (start + end > file.size) throw damaged(`${quoted(name)} ends at byte ${start + end}, the file has ${file.size}`)
    used += end - begin
    tensors.set(name, storedTensor(file, name, shape, kind, start + begin))
  }
  // The data of all tensors lie side by side: more bytes than there are would mean that some share them.
  if (used > file.size - start) throw damaged('tensors overlap')
  return tensors
}

type Damaged = (why: string) => FormatError

function headerIn(bytes: Uint8Array, damaged: Damaged): JsonRecord {
  let [text, header]: [string, Json] = ['', null]
  try {
    text = decodeUtf8(bytes)
    header = JSON.parse(text)
  } catch {
    throw damaged('its header is no JSON')
  }
  if (!isRecord(header)) throw damaged('its header is no record')
  const twice = repeatedKey(text)
  if (twice !== null) throw damaged(`its header has ${quoted(twice)} twice`)
  return header
}

interface Entry {
  readonly shape: Shape
  /** The name of a type if such numbers cannot be read: files also have tables of integers, which are no weights. */
  readonly kind: NumberKind | string
  readonly begin: number
  readonly end: number
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

function entryOf(name: string, entry: Json, damaged: Damaged): Entry {
  if (!isRecord(entry)) throw damaged(`${quoted(name)} is no record`)
  const { dtype } = entry
  const [shape, offsets] = [itemsOf(entry['shape']), itemsOf(entry['data_offsets'])]
  if (typeof dtype !== 'string') throw damaged(`${quoted(name)} has no type of numbers`)
  const kind = Object.hasOwn(NUMBERS, dtype) ? NUMBERS[dtype]! : dtype
  if (!isNumbers(shape) || !isNumbers(offsets) || offsets.length !== 2 || ![...shape, ...offsets].every(isCount))
    throw damaged(`${quoted(name)} has no valid shape and place`)
  const [begin, end] = [offsets[0]!, offsets[1]!]
  const size = typeof kind === 'string' ? Math.max(0, end - begin) : sizeOf(shape) * kind.bytes
  if (end - begin !== size)
    throw damaged(`${quoted(name)} of shape ${formatShape(shape)} in ${dtype} has ${end - begin} bytes`)
  return { shape, kind, begin, end }
}

function storedTensor(
  file: PresetFile,
  name: string,
  shape: Shape,
  kind: NumberKind | string,
  at: number,
): StoredTensor {
  const rows = shape[0] ?? 1
  const row = shape.length === 0 ? 1 : sizeOf(shape.slice(1))
  return {
    name,
    shape,
    async read(from = 0, to = rows) {
      if (typeof kind === 'string')
        throw new FormatError(
          `${file.name}: ${quoted(name)} has numbers of the type ${quoted(kind)}; supported: ${Object.keys(NUMBERS).join(', ')}`,
        )
      return kind.read(await file.read(at + from * row * kind.bytes, at + to * row * kind.bytes))
    },
  }
}
