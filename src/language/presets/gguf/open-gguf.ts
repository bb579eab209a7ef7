// Opens a GGUF file as the folder of its model. The settings and the vocabulary are read at once, a tensor when it is needed.

import { FormatError, quoted } from '../../../core/errors'
import type { PresetFile } from '../preset-folder'
import { storedTensor, type Extent, type StoredTensor } from '../stored-tensor'
import {
  ROTARY_FACTORS,
  architectureOf,
  configOf,
  headDimOf,
  tensorName,
  type Architecture,
  type GgufModel,
} from './architectures'
import { GgufFolder } from './gguf-folder'
import { readHeader, type GgufHeader } from './header'
import { vocabularyOf } from './vocabulary'

/** @throws FormatError naming the file and the reason, for a file that is damaged or has parts that are not supported */
export async function openGguf(file: PresetFile): Promise<GgufFolder> {
  const header = await readHeader(file)
  const model = await modelIn(file, header)
  const architecture = architectureOf(model)
  const { tokenizer, tokenizerConfig, generationConfig } = vocabularyOf(header.metadata)
  const config = configOf(model)
  const tensors = header.extents.flatMap((extent) => {
    if (extent.name === ROTARY_FACTORS) return []
    const name = tensorName(extent.name, architecture)
    if (name === null)
      throw new FormatError(
        `${file.name} has the tensor ${quoted(extent.name)}, which is not known in the architecture ${quoted(model.architecture)}`,
      )
    return [[name, asSaved(file, { ...extent, name }, architecture, model)] as const]
  })
  const files = {
    'config.json': config,
    'tokenizer.json': tokenizer,
    'tokenizer_config.json': tokenizerConfig,
    'generation_config.json': generationConfig,
  }
  return new GgufFolder(file.name, files, new Map(tensors))
}

async function modelIn(file: PresetFile, { metadata, extents }: GgufHeader): Promise<GgufModel> {
  if (metadata.number('split.count', 1) > 1)
    throw new FormatError(
      `${file.name} is one of several files of a model, which is not supported. Join them with llama-gguf-split --merge`,
    )
  const names = new Map(extents.map((extent) => [extent.name, extent]))
  const tokens = names.get('token_embd.weight')
  if (tokens === undefined) throw new FormatError(`${file.name} has no tensor 'token_embd.weight'`)
  const factors = names.get(ROTARY_FACTORS)
  return {
    metadata,
    architecture: metadata.text('general.architecture'),
    vocabularySize: tokens.shape[0]!,
    has: (name) => names.has(name),
    rotaryFactors: factors === undefined ? null : Array.from(await storedTensor(file, factors).read()),
  }
}

/** A tensor with the numbers that Hugging Face has. */
function asSaved(file: PresetFile, extent: Extent, architecture: Architecture, model: GgufModel): StoredTensor {
  const tensor = storedTensor(file, extent)
  if (architecture.scalesFromZero === true && extent.name.endsWith('norm.weight')) return shifted(tensor, -1)
  const isTurned = /\.self_attn\.[qk]_proj\.(weight|bias)$/.test(extent.name)
  return architecture.alternates === true && isTurned ? inHalves(tensor, headDimOf(model)) : tensor
}

function shifted(tensor: StoredTensor, by: number): StoredTensor {
  const moved = (numbers: Float32Array): Float32Array => numbers.map((number) => number + by)
  const { kind } = tensor
  return {
    ...tensor,
    kind: kind === null ? null : { ...kind, read: (bytes) => moved(kind.read(bytes)), asIntegers: undefined },
    read: async (from, to) => moved(await tensor.read(from, to)),
  }
}

/**
 * Rows that alternate between the two halves of the features of each head, as halves again: row 2i + j of a head becomes row j n/2 + i.
 * @param size the rows of a head, n
 */
function inHalves(tensor: StoredTensor, size: number): StoredTensor {
  const rows = tensor.shape[0] ?? 0
  if (size % 2 !== 0 || rows % size !== 0)
    throw new FormatError(`The tensor ${quoted(tensor.name)} has ${rows} rows, which are no heads of ${size} features`)
  /** Rows of whole heads, in which rows from ≤ row < to are. */
  const around = (from: number, to: number): [first: number, last: number] => [
    from - (from % size),
    Math.ceil(to / size) * size,
  ]
  return {
    ...tensor,
    async bytes(from, to, into) {
      const [first, last] = around(from, to)
      const { rowBytes } = tensor
      const stored = await tensor.bytes(first, last, new Uint8Array((last - first) * rowBytes))
      return arrange(stored, into.subarray(0, (to - from) * rowBytes), { from, to, first, size })
    },
    async read(from = 0, to = rows) {
      const [first, last] = around(from, to)
      const stored = await tensor.read(first, last)
      const numbers = new Float32Array((stored.length / (last - first)) * (to - from))
      return arrange(stored, numbers, { from, to, first, size })
    },
  }
}

interface Arrangement {
  readonly from: number
  readonly to: number
  /** The first of the stored rows. */
  readonly first: number
  /** The rows of a head. */
  readonly size: number
}

/** Copies rows from ≤ row < to, in halves, out of rows that alternate. */
function arrange<Numbers extends Float32Array | Uint8Array>(
  stored: Numbers,
  target: Numbers,
  { from, to, first, size }: Arrangement,
): Numbers {
  const row = target.length / (to - from)
  const half = size / 2
  for (let at = from; at < to; at++) {
    const within = at % size
    const source = at - within - first + 2 * (within % half) + Math.floor(within / half)
    target.set(stored.subarray(source * row, (source + 1) * row), (at - from) * row)
  }
  return target
}
