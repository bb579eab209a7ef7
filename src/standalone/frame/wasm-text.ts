// The engine wasm inside a module of JavaScript: the binary and the weights as text, and the arrays of the ends.

import { toBase64 } from '../../core/base64'
import { sizeOf } from '../../core/shapes'
import type { MemoryImage, Place, Segment } from '../image'
import { join } from '../wasm/bytes'
import { arrayOf, type EngineText } from './program'

const DECODE = `function decode(text) {
  const letters = atob(text)
  const bytes = new Uint8Array(letters.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i)
  return bytes
}`

/** @param weights the content of memory that is not in the binary */
export function wasmText(image: MemoryImage, binary: Uint8Array, weights: readonly Segment[]): EngineText {
  const inputs = image.inputs.map((_, i) => `i${i}`)
  const outputs = image.outputs.map((_, i) => `o${i}`)
  const arrays = (places: readonly Place[], names: readonly string[]): string[] =>
    places.map(
      (place, i) => `const ${names[i]!} = new ${arrayOf(place)}(buffer, ${place.address}, ${sizeOf(place.shape)})`,
    )
  return {
    text: [
      DECODE,
      `const engine = new WebAssembly.Instance(new WebAssembly.Module(decode('${toBase64(binary)}'))).exports`,
      'const run = engine.run',
      'const buffer = engine.memory.buffer',
      ...weightLines(weights),
      ...arrays(image.inputs, inputs),
      ...arrays(image.outputs, outputs),
    ].join('\n'),
    parameters: inputs,
    outputs,
  }
}

function weightLines(weights: readonly Segment[]): readonly string[] {
  if (weights.length === 0) return []
  const places = weights.map(({ address, bytes }) => `[${address}, ${bytes.length}]`)
  return [
    `const weights = decode('${toBase64(join(weights.map(({ bytes }) => bytes)))}')`,
    'let start = 0',
    `for (const [address, length] of [${places.join(', ')}]) {`,
    '  new Uint8Array(buffer, address, length).set(weights.subarray(start, start + length))',
    '  start += length',
    '}',
  ]
}
