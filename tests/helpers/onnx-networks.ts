// The networks in tests/golden/onnx, with their inputs and outputs.

import { readFileSync } from 'node:fs'
import { tensor, type Tensor } from '../../src'
import type { NumbersOfAnyRank } from '../../src/ops/tensor'

const folder = new URL('../golden/onnx/', import.meta.url)
/** The bytes of a network that torch.onnx wrote. */
export const bytesOf = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`networks/${name}.onnx`, folder)))

export interface Golden {
  readonly inputs: Readonly<Record<string, NumbersOfAnyRank>>
  readonly outputs: Readonly<Record<string, NumbersOfAnyRank>>
}

export const golden = JSON.parse(readFileSync(new URL('networks.json', folder), 'utf8')) as Record<string, Golden>
/** The inputs as a model takes them: one alone, several by name. */
export const inputsOf = ({ inputs }: Golden): unknown =>
  Object.keys(inputs).length === 1 ? Object.values(inputs)[0] : inputs

/** Numbers that look random. */
export const wave = (shape: readonly number[], scale = 1): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => scale * Math.sin(i * 1.7)),
    shape,
  )
