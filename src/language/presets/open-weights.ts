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
import { decodeUtf8 } from '../../core/text'
import { isNumbers, isRecord, itemsOf, parseJson, valueAt, type JsonRecord } from '../../files/containers/json'
import { GgufFolder } from './gguf/gguf-folder'
import { NUMBERS } from '../../files/containers/numbers'
import type { PresetFile, PresetFolder } from './preset-folder'
import { bytesOf, overlapping, storedTensor, type Extent, type StoredTensor } from './stored-tensor'

export type { StoredTensor }

const WEIGHTS = 'model.safetensors'
const LENGTH_BYTES = 8
const LARGEST_HEADER = 100_000_000

/**
 * The tensors of a folder by name.
 * @param name the file, next to which an index of several may be
 * @throws FormatError naming the file and the reason, for files that are missing or damaged
 */
export async function openWeights(folder: PresetFolder, name = WEIGHTS): Promise<ReadonlyMap<string, StoredTensor>> {
  if (folder instanceof GgufFolder && name === WEIGHTS) return folder.tensors
  const index = await folder.json(`${name}.index.json`)
  if (index !== null) return fromShards(folder, index, `${name}.index.json`)
  const file = await folder.open(name)
  if (file !== null) return tensorsIn(file)
  const pickles = (await folder.list()).filter((each) => /\.(bin|pt|pth|pkl|ckpt)$/.test(each))
  // Servers list no files.
  if (pickles.length === 0)
    throw new FormatError(
      `${folder.name} has no ${name}. If its weights are in pytorch_model.bin, save the model again with model.save_pretrained(folder, safe_serialization=True): reading such a file executes code`,
    )
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
  const extents = Object.entries(header).flatMap(([name, entry]) =>
    name === '__metadata__' ? [] : [extentOf(name, entry, start, damaged)],
  )
  for (const extent of extents) {
    const end = extent.at + extent.bytes
    if (end > file.size) throw damaged(`${quoted(extent.name)} ends at byte ${end}, the file has ${file.size}`)
  }
  const shared = overlapping(extents)
  if (shared !== null) throw damaged(`the data of ${quoted(shared)} overlap those of another tensor`)
  return new Map(extents.map((extent) => [extent.name, storedTensor(file, extent)]))
}

type Damaged = (why: string) => FormatError

function headerIn(bytes: Uint8Array, damaged: Damaged): JsonRecord {
  const [text, header] = jsonIn(bytes, damaged)
  if (!isRecord(header)) throw damaged('its header is no record')
  const twice = repeatedKey(text)
  if (twice !== null) throw damaged(`its header has ${quoted(twice)} twice`)
  return header
}

function jsonIn(bytes: Uint8Array, damaged: Damaged): [text: string, value: Json] {
  try {
    const text = decodeUtf8(bytes)
    return [text, parseJson(text, 'its header')]
  } catch (cause) {
    throw damaged(cause instanceof FormatError ? cause.message : 'its header is no text in UTF-8')
  }
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

/** @param start of the data in the file */
function extentOf(name: string, entry: Json, start: number, damaged: Damaged): Extent {
  if (!isRecord(entry)) throw damaged(`${quoted(name)} is no record`)
  const dtype = valueAt(entry, 'dtype')
  const [shape, offsets] = [itemsOf(valueAt(entry, 'shape')), itemsOf(valueAt(entry, 'data_offsets'))]
  if (typeof dtype !== 'string') throw damaged(`${quoted(name)} has no type of numbers`)
  if (!isNumbers(shape) || !isNumbers(offsets) || offsets.length !== 2 || ![...shape, ...offsets].every(isCount))
    throw damaged(`${quoted(name)} has no valid shape and place`)
  const [begin, end] = [offsets[0]!, offsets[1]!]
  const kind = Object.hasOwn(NUMBERS, dtype) ? NUMBERS[dtype]! : dtype
  const size = typeof kind === 'string' ? Math.max(0, end - begin) : bytesOf(shape, kind)
  if (end - begin !== size)
    throw damaged(`${quoted(name)} of shape ${formatShape(shape)} in ${dtype} has ${end - begin} bytes`)
  return { name, shape, kind, at: start + begin, bytes: size }
}
