// The engine wasm inside a module of JavaScript: the binary and the weights, and the arrays of the ends.

import { toBase64 } from '../../core/base64'
import { sizeOf } from '../../core/shapes'
import type { MemoryImage, Place } from '../image'
import { arrayOf, type EngineText } from './program'
import { quote } from './quote'
import type { PackedWeights } from './weights'

const DECODE = `function decode(text) {
  const letters = atob(text)
  const bytes = new Uint8Array(letters.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i)
  return bytes
}`

/** Reads a file beside the module, from a disk or a server. Bundlers copy the file, because its address is written in full. */
const READ = `async function read(url) {
  if (url.protocol === 'file:') {
    const { readFile } = await import(/* webpackIgnore: true */ /* @vite-ignore */ 'node:fs/promises')
    return readFile(url)
  }
  const response = await fetch(url)
  if (!response.ok) throw new Error(url.href + ' answers ' + response.status)
  return new Uint8Array(await response.arrayBuffer())
}`

/** The address of the written module. In parts, so that no build takes it for that of this one. */
const OWN_ADDRESS = ['import', 'meta', 'url'].join('.')

/** The names of the files beside the module; null for what is in the module as text. */
export interface Beside {
  readonly binary: string | null
  readonly weights: string | null
}

export function wasmText(image: MemoryImage, binary: Uint8Array, weights: PackedWeights, beside: Beside): EngineText {
  const inputs = image.inputs.map((_, i) => `i${i}`)
  const outputs = image.outputs.map((_, i) => `o${i}`)
  const arrays = (places: readonly Place[], names: readonly string[]): string[] =>
    places.map(
      (place, i) => `const ${names[i]!} = new ${arrayOf(place)}(buffer, ${place.address}, ${sizeOf(place.shape)})`,
    )
  const isDecoded = beside.binary === null || (beside.weights === null && weights.bytes.length > 0)
  return {
    text: [
      // Hosts that compile no bytes, such as workerd, give a compiled module for this import.
      ...(beside.binary === null ? [] : [`import compiled from ${quote(`./${beside.binary}`)}`]),
      ...(isDecoded ? [DECODE] : []),
      `const engine = new WebAssembly.Instance(${beside.binary === null ? `new WebAssembly.Module(decode('${toBase64(binary)}'))` : 'compiled'}).exports`,
      'const run = engine.run',
      'const buffer = engine.memory.buffer',
      ...weightLines(weights, beside.weights),
      ...arrays(image.inputs, inputs),
      ...arrays(image.outputs, outputs),
    ].join('\n'),
    parameters: inputs,
    outputs,
  }
}

function weightLines({ bytes, text }: PackedWeights, beside: string | null): readonly string[] {
  if (bytes.length === 0) return []
  if (beside === null) return [`const weights = decode('${toBase64(bytes)}')`, text]
  return [READ, `const weights = await read(new URL(${quote(`./${beside}`)}, ${OWN_ADDRESS}))`, text]
}
