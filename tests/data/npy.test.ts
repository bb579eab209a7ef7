// .npy and .npz: against files that NumPy wrote (tests/golden/data), and back.
// modes: simd

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { DataError, FormatError, tensor } from '../../src'
import { readNpy, readNpz, writeNpy, writeNpz } from '../../src/entries/data'
import golden from '../golden/data.json' with { type: 'json' }

const file = (name: string): string => new URL(`../golden/data/${name}`, import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'myelin-npy-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('files written by NumPy', () => {
  it.each(Object.entries(golden.npy))('%s', async (name, expected) => {
    const read = await readNpy(file(`${name}.npy`))
    const kind = name.replace(/^.*_/, '')[0] as 'b' | 'i' | 'u' | 'f'
    expect(read.dtype).toBe({ b: 'bool', i: 'int32', u: 'int32', f: 'float32' }[kind])
    expect(read.toArray()).toEqual(kind === 'b' ? expected.map((row) => row.map(Boolean)) : expected)
  })

  it('order, shapes and versions', async () => {
    expect(await readNpy(file('fortran.npy'))).toEqual(
      tensor(
        Float32Array.from({ length: 24 }, (_, i) => i),
        [2, 3, 4],
      ),
    )
    expect((await readNpy(file('scalar.npy'))).toArray()).toBe(2.5)
    expect((await readNpy(file('empty.npy'))).shape).toEqual([0, 3])
    for (const version of [2, 3]) expect((await readNpy(file(`version_${version}.npy`))).toArray()).toEqual([0, 1, 2])
    expect((await readNpy(file('half_specials.npy'))).data).toEqual(
      Float32Array.of(Infinity, -Infinity, NaN, 5.9604644775390625e-8, 65504, -0),
    )
  })

  it('refuses a .npz that would become too large, before inflating it', async () => {
    const bytes = await writeNpz({ x: [1, 2], y: [3] }, null, { compressed: true })
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    // The directory at the end counts: it has the sizes after the signature PK\x01\x02.
    for (let at = 0; at < bytes.length - 4; at++)
      if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, 2 ** 30 + 1, true)
    const failed = expect(readNpz(bytes)).rejects
    await failed.toThrow('its arrays need at least 2147483650 bytes, more than')
    await expect(readNpz(bytes)).rejects.toThrow(DataError)
  })

  it('several arrays', async () => {
    for (const name of ['stored.npz', 'deflated.npz']) {
      const { x, y } = await readNpz(file(name))
      expect([x!.shape, x!.dtype, y!.dtype, y!.toArray()]).toEqual([[3, 4], 'float32', 'int32', [1, 2]])
      expect(x!.data).toEqual(Float32Array.from({ length: 12 }, (_, i) => i - 6))
    }
  })

  it('refuses lossy conversions, and arrays without numbers', async () => {
    await expect(readNpy(file('large.npy'))).rejects.toThrow(
      /large\.npy: element 1 is 1099511627776, which int32 cannot hold/,
    )
    await expect(readNpy(file('large.npy'))).rejects.toThrow(DataError)
    await expect(readNpy(file('huge.npy'))).rejects.toThrow(/element 1 is 1e\+300, which float32 cannot hold/)
    await expect(readNpy(file('complex.npy'))).rejects.toThrow(/type '<c16'/)
    await expect(readNpy(file('records.npy'))).rejects.toThrow(FormatError)
    await expect(readNpy(file('rgb.png'))).rejects.toThrow(/is not a \.npy file/)
    const bytes = readFileSync(file('little_f4.npy'))
    for (let length = 0; length < bytes.length; length += 5)
      await expect(readNpy(bytes.subarray(0, length))).rejects.toThrow(FormatError)
    await expect(readNpz(readFileSync(file('stored.npz')).subarray(0, 300))).rejects.toThrow(FormatError)
    await expect(readNpy(Uint8Array.of(...bytes.subarray(0, 6), 9, ...bytes.subarray(7)))).rejects.toThrow(/version 9/)
  })
})

describe('written files', () => {
  const arrays = {
    x: tensor([
      [1, -2.5],
      [3, Infinity],
    ]),
    y: tensor(Int32Array.of(-1, 7)),
    isOld: tensor([true, false]),
    empty: tensor(new Float32Array(0), [0, 2]),
    only: tensor(5),
  }

  it('are read again, array by array', async () => {
    for (const [name, array] of Object.entries(arrays)) {
      const path = join(folder, `${name}.npy`)
      const bytes = await writeNpy(array, path)
      expect(new Uint8Array(readFileSync(path))).toEqual(bytes)
      expect(await readNpy(path)).toEqual(array)
    }
  })

  it("equal NumPy's, byte by byte", async () => {
    expect(await writeNpy(await readNpy(file('little_f4.npy')))).toEqual(
      new Uint8Array(readFileSync(file('little_f4.npy'))),
    )
    expect(await writeNpy(await readNpy(file('b1.npy')))).toEqual(new Uint8Array(readFileSync(file('b1.npy'))))
  })

  it('are read again, all at once', async () => {
    const sizes: number[] = []
    for (const compressed of [false, true]) {
      const bytes = await writeNpz({ ...arrays, zeros: new Float32Array(1000) }, null, { compressed })
      sizes.push(bytes.length)
      expect(await readNpz(bytes)).toEqual({ ...arrays, zeros: tensor(new Float32Array(1000)) })
      expect(await writeNpz({ ...arrays, zeros: new Float32Array(1000) }, null, { compressed })).toEqual(bytes)
    }
    expect(sizes[1]).toBeLessThan(sizes[0]! / 2)
    await writeNpz(arrays, join(folder, 'all.npz'))
    expect(Object.keys(await readNpz(join(folder, 'all.npz')))).toEqual(Object.keys(arrays))
  })
})
