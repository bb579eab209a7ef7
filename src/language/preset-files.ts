// The files of a preset, from a model: the inverse of preset.ts.

import { encodeUtf8 } from '../core/text'
import type { JsonRecord } from '../files/containers/json'
import { encodeContainer, type NamedTensor } from '../files/containers/safetensors'
import { writeFile } from '../engine/runtime/files'
import { nodeModule } from '../engine/runtime/platform'
import { ArgumentError } from '../core/errors'
import { sizeOf } from '../core/shapes'
import type { Family } from './families/description'
import type { Network } from './families/transformer'
import { placedWeights, type PlacedWeight } from './families/weights'
import { readMatrix } from './layers/packed-weight'
import type { Tokenizer } from './tokens'

/** The bytes of a JSON file that people can read. */
export const jsonFile = (value: unknown): Uint8Array => encodeUtf8(`${JSON.stringify(value, null, 2)}\n`)

/** The files of a preset by name. */
export function presetFiles(
  network: Network,
  { places }: Family,
  config: JsonRecord,
  tokenizer: Tokenizer,
): Map<string, Uint8Array> {
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>()
  for (const weight of placedWeights(network, places)) {
    const name = weight.isWhole ? weight.name : places.prefixes[0]! + weight.name
    const tensor = tensors.get(name) ?? { shape: weight.shape, data: new Float32Array(sizeOf(weight.shape)) }
    tensors.set(name, tensor)
    put(weight, tensor.data)
  }
  const named = [...tensors].map(([name, { shape, data }]): NamedTensor => ({ name, shape, data }))
  return new Map<string, Uint8Array>([
    ['config.json', jsonFile({ ...config, dtype: 'float32', torch_dtype: undefined })],
    ['model.safetensors', encodeContainer(named, { format: 'pt' })],
    ...tokenizerFiles(tokenizer),
  ])
}

function tokenizerFiles(tokenizer: Tokenizer): (readonly [name: string, bytes: Uint8Array])[] {
  const { tokenizer: steps, config, chatTemplate } = tokenizer.toFiles()
  return [
    ['tokenizer.json', jsonFile(steps)],
    ...(config === null ? [] : [['tokenizer_config.json', jsonFile(config)] as const]),
    ...(chatTemplate == null ? [] : [['chat_template.jinja', encodeUtf8(chatTemplate)] as const]),
  ]
}

/** Writes a weight where it lies in its tensor. */
function put({ matrix, shape, rows, isTransposed, offset }: PlacedWeight, data: Float32Array): void {
  const numbers = readMatrix(matrix)
  const length = matrix.inputs
  const columns = shape.at(-1)!
  let row = 0
  for (const [from, to] of rows)
    for (let at = from; at < to; at++, row++)
      for (let i = 0; i < length; i++)
        data[isTransposed ? i * columns + at : at * length + i] = numbers[row * length + i]! - offset
}

/** Writes files into a folder, which is made if it is missing. */
export async function writeFolder(
  folder: string | URL,
  files: ReadonlyMap<string, Uint8Array>,
  where: string,
): Promise<void> {
  const [system, paths, urls] = [nodeModule('node:fs/promises'), nodeModule('node:path'), nodeModule('node:url')]
  if (system === null || paths === null || urls === null)
    throw new ArgumentError(
      `${where}: without a file system there is no folder to write. Use the files that it returns`,
    )
  const path = typeof folder === 'string' ? folder : urls.fileURLToPath(folder)
  await system.mkdir(path, { recursive: true })
  for (const [name, bytes] of files) {
    if (name.includes('/')) await system.mkdir(paths.join(path, paths.dirname(name)), { recursive: true })
    await writeFile(paths.join(path, name), bytes, where)
  }
}
