// Rows of files become weights: the kernels of assembly/rows.ts have the integers and scales of packRows, bit for bit, and files are read
// ahead.
// modes: simd

import { writeFileSync } from 'node:fs'
import files from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { Variable } from '../../../src'
import { toBfloat16, toFloat16 } from '../../../src/core/half'
import { packRows, packedShape, type PackedFormat } from '../../../src/engine/primitives/packed'
import { BF16, F16, F32, F64, type NumberKind } from '../../../src/files/containers/numbers'
import type { Matrix } from '../../../src/language/layers/packed-weight'
import { fileFolder } from '../../../src/language/presets/file-folder'
import { keepingOpen, readAhead, type RowBlock } from '../../../src/language/presets/rows/read-ahead'
import { RowKernel } from '../../../src/language/presets/rows/row-kernel'
import { storedTensor, type StoredTensor } from '../../../src/language/presets/stored-tensor'
import { drawnWeights, folderOf } from '../../helpers/language'

const KINDS = [F32, F16, BF16]
const cases = KINDS.flatMap((kind) => ([8, 4] as const).map((bits) => [kind.name, bits, kind] as const))

/** Numbers as a file has them. */
function bytesOf(numbers: Float32Array, kind: NumberKind): Uint8Array<ArrayBuffer> {
  if (kind === F32) return new Uint8Array(numbers.slice().buffer)
  return new Uint8Array(Uint16Array.from(numbers, kind === F16 ? toFloat16 : toBfloat16).buffer)
}

function matrixOf(format: PackedFormat): Matrix & { readonly bytes: () => Int8Array } {
  const variable = new Variable([...packedShape(format)], { dtype: 'int8' })
  return { ...format, format, variable, bytes: () => Int8Array.from(variable.view) }
}

function expectedOf(format: PackedFormat, row: number, numbers: Float32Array): Int8Array {
  const [strips, bytes] = packedShape(format)
  const packed = new Int8Array(strips * bytes)
  packRows(packed, format, row, numbers)
  return packed
}

const kernelFor = (inputs: number, block: number): RowKernel => RowKernel.make({ inputs, block }, 1)!

/** Bits of numbers, of all magnitudes that a kind has. */
function anyNumbers(kind: NumberKind, count: number): Float32Array {
  const words = Uint32Array.from(drawnWeights('bits', [count], 1), (x) => Math.floor((x + 1) * 2 ** 31))
  const numbers =
    kind === F32 ? new Float32Array(words.buffer) : kind.read(new Uint8Array(Uint16Array.from(words).buffer))
  return numbers.map((x) => (Number.isFinite(x) ? x : 1))
}

describe.each(cases)('rows of %s with %i bits', (_, bits, kind) => {
  it.each([1, 31, 32, 33, 77, 576])('have the bytes of packRows: %i inputs', (inputs) => {
    const format: PackedFormat = { outputs: 21, inputs, bits }
    const drawn = drawnWeights('rows', [21 * inputs], 0.08)
    const bytes = bytesOf(drawn, kind)
    const numbers = kind.read(bytes)
    const matrix = matrixOf(format)
    const kernel = kernelFor(inputs, bytes.length)
    // Parts that begin and end within strips.
    for (const [from, to] of [
      [0, 3],
      [3, 16],
      [16, 21],
    ] as const) {
      const part = bytes.subarray(from * inputs * kind.bytes, to * inputs * kind.bytes)
      expect(kernel.write(matrix, from, { kind, bytes: part })).toBe(-1)
    }
    expect(matrix.bytes()).toEqual(expectedOf(format, 0, numbers))
  })

  it('have them for zeros, ties, denormal numbers, extremes and any bits', () => {
    const inputs = 64
    const largest = kind === F16 ? 65504 : 2 ** 126
    const tiny = kind === F16 ? 2 ** -24 : 2 ** -133
    const rows = [
      new Float32Array(inputs),
      new Float32Array(inputs).fill(-0),
      Float32Array.from({ length: inputs }, (_, i) => (i % 2 === 0 ? -0 : 0)),
      new Float32Array(inputs).fill(-0.75),
      // with a scale of 1: every half number is a tie
      Float32Array.from({ length: inputs }, (_, i) => (bits === 4 ? Math.min(15, i / 2) : i === 0 ? 127 : i - 32.5)),
      Float32Array.from({ length: inputs }, (_, i) => (i - 20) * tiny),
      Float32Array.from({ length: inputs }, (_, i) => (i % 3) * tiny),
      Float32Array.from({ length: inputs }, (_, i) => (i % 2 === 0 ? largest : -largest)),
      Float32Array.from({ length: inputs }, (_, i) => (i === 40 ? largest : tiny * i)),
    ]
    const any = anyNumbers(kind, inputs * 500)
    const numbers = kind.read(bytesOf(Float32Array.from([...rows.flatMap((row) => [...row]), ...any]), kind))
    const format: PackedFormat = { outputs: numbers.length / inputs, inputs, bits }
    const matrix = matrixOf(format)
    const bytes = bytesOf(numbers, kind)
    expect(kernelFor(inputs, bytes.length).write(matrix, 0, { kind, bytes })).toBe(-1)
    expect(matrix.bytes()).toEqual(expectedOf(format, 0, numbers))
  })

  it.each([NaN, Infinity, -Infinity])('name the row with %d and stay as they were', (value) => {
    const inputs = 40
    const numbers = drawnWeights('rows', [5 * inputs], 1)
    numbers[3 * inputs + 39] = value
    const matrix = matrixOf({ outputs: 9, inputs, bits })
    const kernel = kernelFor(inputs, 5 * inputs * kind.bytes)
    expect(kernel.write(matrix, 2, { kind, bytes: bytesOf(numbers, kind) })).toBe(3)
    expect(matrix.bytes().every((byte) => byte === 0)).toBe(true)
  })
})

describe.each(KINDS.map((kind) => [kind.name, kind] as const))('rows of %s as float32', (_, kind) => {
  it('are the numbers of the file', () => {
    const numbers = anyNumbers(kind, 7 * 77)
    const variable = new Variable([9, 77])
    const matrix = { outputs: 9, inputs: 77, format: null, variable }
    const bytes = bytesOf(numbers, kind)
    const kernel = kernelFor(77, bytes.length)
    // also from elsewhere, in parts
    expect(kernel.write(matrix, 1, { kind, bytes })).toBe(-1)
    expect([...variable.view.subarray(77, 8 * 77)]).toEqual([...kind.read(bytes)])
    expect([...variable.view.subarray(0, 77), ...variable.view.subarray(8 * 77)].every((x) => x === 0)).toBe(true)
    numbers[6 * 77] = -Infinity
    expect(kernel.write(matrix, 0, { kind, bytes: bytesOf(numbers, kind) })).toBe(6)
  })
})

it('takes no other kinds', () => {
  expect(kernelFor(8, 8).takes(F64)).toBe(false)
  expect(kernelFor(8, 8).takes({ ...BF16 })).toBe(false)
})

/** A tensor of rows of one byte. */
async function tensorIn(folder: string): Promise<StoredTensor> {
  const file = (await (await fileFolder(folder, 'test')).open('rows'))!
  return storedTensor(file, {
    name: 'rows',
    shape: [file.size, 1],
    kind: { ...F32, bytes: 1 },
    at: 0,
    bytes: file.size,
  })
}

const blocksOf = (tensor: StoredTensor): RowBlock[] =>
  Array.from({ length: 10 }, (_, i) => ({ tensor, from: 10 * i, to: 10 * i + 10 - (i % 3) }))

const slotsOf = (count: number) => Array.from({ length: count }, () => new Uint8Array(10))

describe('reading ahead', () => {
  const content = Uint8Array.from({ length: 100 }, (_, i) => i)

  it.each([1, 2, 3, 20])('gives the bytes of blocks in order, with %i slots', async (count) => {
    const blocks = blocksOf(await tensorIn(folderOf({ rows: content })))
    const read: number[][] = []
    await readAhead(blocks, slotsOf(count), (_, bytes) => void read.push([...bytes]))
    expect(read).toEqual(blocks.map(({ from, to }) => [...content.subarray(from, to)]))
  })

  it('ends with the error of a read, and of the caller', async () => {
    const folder = folderOf({ rows: content })
    const tensor = await tensorIn(folder)
    const stopped = readAhead(blocksOf(tensor), slotsOf(3), () => {
      throw new Error('stopped')
    })
    await expect(stopped).rejects.toThrow('stopped')
    writeFileSync(join(folder, 'rows'), content.subarray(0, 35))
    const read: number[] = []
    const shortened = readAhead(blocksOf(tensor), slotsOf(3), ({ from }) => void read.push(from))
    await expect(shortened).rejects.toThrow('ended at byte 35, while it was read')
    expect(read).toEqual([0, 10, 20])
  })

  it('keeps a file open, and closes it', async () => {
    const tensor = await tensorIn(folderOf({ rows: content }))
    const opened = vi.spyOn(files, 'open')
    await keepingOpen([tensor.file], () => readAhead(blocksOf(tensor), slotsOf(2), () => {}))
    expect(opened).toHaveBeenCalledTimes(1)
    const handle = await opened.mock.results[0]!.value
    // A handle that is closed has no number.
    expect(handle.fd).toBe(-1)
    opened.mockRestore()
  })
})
