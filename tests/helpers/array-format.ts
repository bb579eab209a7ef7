// What every format of named arrays guarantees.

import { expect } from 'vitest'
import type { NamedTensor } from '../../src/files/containers/safetensors'
import type * as list from '../../src/files/containers/format-list'
import type { ArrayFormat } from '../../src/files/weights/format'

/** Arrays with all dtypes, with numbers and names that text formats and searches of text tend to damage. */
const arrays = (): NamedTensor[] => [
  {
    name: 'dense/kernel',
    shape: [2, 4],
    data: Float32Array.of(0.1, -0, NaN, Infinity, -Infinity, 1e-45, 3.4028235e38, 1),
  },
  { name: 'dense/scalar', shape: [], data: Float32Array.of(-1.5) },
  { name: 'dense/empty', shape: [0, 3], data: new Float32Array(0) },
  { name: 'embedding_1/steps', shape: [3], data: Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1) },
  { name: 'quantized/kernel', shape: [1, 2], data: Int8Array.of(-128, 127) },
  { name: 'größe "1"', shape: [1], data: Float32Array.of(1) },
  { name: '"weight_map": "class_name": "modelTopology":', shape: [1], data: Float32Array.of(2) },
]

/** Numbers as they are compared: −0 is not 0, and a format without int8 may give int32. */
const contentOf = ({ name, shape, data }: NamedTensor) => ({ name, shape: [...shape], data: Array.from(data) })

/** Checks a format against its table of formats. */
export async function checkArrayFormat(
  format: ArrayFormat,
  name: list.WeightFormat,
  { isFileOf, modelKinds, weightKinds }: typeof list,
  weightFormatIn: (bytes: Uint8Array) => list.WeightFormat,
): Promise<void> {
  const written = arrays()
  const file = format.write(written)
  // The elements may be views of memory that changes.
  for (const { data } of written) data.fill(7)
  const bytes = await file

  const read = [...(await format.read(bytes)).values()]
  expect(read.map(contentOf)).toEqual(arrays().map(contentOf))
  expect([...(await format.read(bytes)).keys()]).toEqual(arrays().map((array) => array.name))
  for (const { data } of read) expect([Float32Array, Int32Array, Int8Array]).toContain(data.constructor)
  expect(await format.write(arrays())).toEqual(bytes)
  expect(await format.read(await format.write([]))).toEqual(new Map())

  expect(weightFormatIn(bytes)).toBe(name)
  const others = Object.entries({ ...modelKinds, ...weightKinds }).filter(([other]) => other !== name)
  for (const [other, kinds] of others) expect([other, isFileOf(kinds, bytes)]).toEqual([other, false])

  for (let length = 0; length < bytes.length; length++)
    await expect(
      (async () => format.read(bytes.slice(0, length)))(),
      `${name}, of which ${length} bytes are left`,
    ).rejects.toMatchObject({ name: 'FormatError' })
}
