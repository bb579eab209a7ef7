// Event files are readable by TensorBoard: the stored bytes are ones that it has read.
// modes: simd

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Concatenate, Dense, Input, Model, Sequential, StringLookup, clearSession, ops, type Tensor } from '../../src'
import { crc32c } from '../../src/core/crc'
import { eventRecord, fileHead, graphRecord } from '../../src/files/containers/event-file'
import { graphNodes } from '../../src/training/callbacks/graph-nodes'
import type { LayerGraph } from '../../src/models/layer-graph'

interface Golden {
  readonly file: string
  readonly scalars: Readonly<Record<string, [time: number, step: number, value: number][]>>
  readonly histograms: Readonly<
    Record<
      string,
      {
        step: number
        min: number
        max: number
        num: number
        sum: number
        sum_squares: number
        bucket: number[]
        bucket_limit: number[]
      }[]
    >
  >
}

const golden: Golden = JSON.parse(readFileSync(new URL('../golden/events.json', import.meta.url), 'utf8'))
const values = [-1, -0.5, 0, 0.25, 0.25, 2]

describe('an event file', () => {
  it('has the bytes that TensorBoard reads', () => {
    const file = Buffer.concat([
      fileHead(1.5),
      eventRecord(2.25, 7, [
        { tag: 'epoch_loss', scalar: 0.1 },
        { tag: 'dense/kernel/histogram', values },
        { tag: 'empty', values: [] },
      ]),
      eventRecord(3, 5_000_000_000, [
        { tag: 'epoch_loss', scalar: -2 },
        { tag: 'flat', values: [3, 3] },
        { tag: 'wörter', scalar: 1 },
      ]),
    ])
    if (file.toString('base64') !== golden.file) {
      const path = join(mkdtempSync(join(tmpdir(), 'events-')), 'events.out.tfevents.1.host.1.0.v2')
      writeFileSync(path, file)
      throw new Error(
        `The bytes are others than those that TensorBoard has read. See whether it reads ${path}: tests/golden/events.py`,
      )
    }
  })

  it('gives TensorBoard the written values', () => {
    expect(golden.scalars).toEqual({
      epoch_loss: [
        [2.25, 7, Math.fround(0.1)],
        [3, 5_000_000_000, -2],
      ],
      wörter: [[3, 5_000_000_000, 1]],
    })
    const [histogram] = golden.histograms['dense/kernel/histogram']!
    expect(histogram).toMatchObject({ step: 7, min: -1, max: 2, num: 6, sum: 1, sum_squares: 5.375 })
    expect(histogram!.bucket.reduce((a, b) => a + b)).toBe(6)
    // Buckets are a tenth wide: the bucket of a value ends above it.
    for (const value of values.slice(0, -1)) {
      const at = histogram!.bucket_limit.findIndex((limit) => limit > value + 1e-9)
      expect(histogram!.bucket[at], String(value)).toBeGreaterThan(0)
    }
    expect(golden.histograms['flat']![0]).toMatchObject({ bucket: [2], bucket_limit: [3] })
  })
})

interface GraphGolden {
  readonly file: string
  readonly nodes: readonly {
    readonly name: string
    readonly op: string
    readonly input: readonly string[]
    readonly dtype: number
    readonly shapes: readonly (readonly number[])[]
  }[]
}

/** Inputs of two types, a shared layer, a model in a model, an op. */
function branchedModel(): Model<{ a: Tensor; kind: Tensor }> {
  const a = Input({ shape: [4], name: 'a' })
  const kind = Input({ shape: [1], dtype: 'string', name: 'kind' })
  const shared = new Dense({ units: 3, name: 'shared' })
  const inner = new Sequential([new Dense({ units: 3, name: 'first', inputShape: [3] }), new Dense({ units: 2, name: 'second' })], { name: 'inner' }) // prettier-ignore
  const lookup = new StringLookup({ vocabulary: ['x', 'y'], outputMode: 'oneHot', name: 'lookup' })
  const twice = shared.apply(a)
  const sum = ops.add(twice, shared.apply(ops.multiply(a, 2)))
  const joined = new Concatenate({ name: 'joined' }).apply([inner.apply(sum), lookup.apply(kind)])
  const output = new Dense({ units: 1, name: 'output' }).apply(joined)
  return new Model({ inputs: { a, kind }, outputs: output, name: 'branched' })
}

describe('the graph of a model in an event file', () => {
  const stored: GraphGolden = JSON.parse(readFileSync(new URL('../golden/event-graph.json', import.meta.url), 'utf8'))
  // Names of ops count from the first.
  clearSession()
  const { name, graph } = branchedModel()
  const nodes = graphNodes(name, graph as LayerGraph)

  it('has the bytes that TensorBoard reads', () => {
    const file = Buffer.concat([fileHead(1.5), graphRecord(2, nodes)])
    if (file.toString('base64') !== stored.file) {
      const path = join(mkdtempSync(join(tmpdir(), 'events-')), 'events.out.tfevents.1.host.1.0.v2')
      writeFileSync(path, file)
      throw new Error(
        `The bytes are others than those that TensorBoard has read. See whether it reads ${path}: tests/golden/event_graph.py`,
      )
    }
  })

  it('gives TensorBoard the layers, their classes and connections', () => {
    const types: Readonly<Record<string, number>> = { float32: 1, int32: 3, string: 7 }
    expect(stored.nodes).toEqual(
      nodes.map(({ name, op, inputs, dtype, shapes }) => ({
        name,
        op,
        input: inputs,
        dtype: types[dtype],
        shapes: shapes.map((shape) => shape.map((extent) => extent ?? -1)),
      })),
    )
    const byName = new Map(stored.nodes.map((node) => [node.name, node]))
    expect(byName.get('branched/kind')).toMatchObject({ op: 'InputLayer', input: [], dtype: 7, shapes: [[-1, 1]] })
    expect(byName.get('branched/shared')!.input).toEqual(['branched/a'])
    expect(byName.get('branched/shared_1')!.input).toHaveLength(1)
    expect(byName.get('branched/inner/second')!.input).toEqual(['branched/inner/first'])
    expect(byName.get('branched/joined')!.input).toEqual(['branched/inner/second', 'branched/lookup'])
    expect(byName.get('branched/output')).toMatchObject({ op: 'Dense', input: ['branched/joined'], shapes: [[-1, 1]] })
    for (const { input } of stored.nodes) for (const each of input) expect([...byName.keys()]).toContain(each)
  })
})

describe('the checksum', () => {
  // RFC 3720, B.4, and the check of the catalogue of CRCs.
  it.each<[string, ArrayLike<number>, number]>([
    ['32 zeros', new Array<number>(32).fill(0), 0x8a9136aa],
    ['32 ones', new Array<number>(32).fill(0xff), 0x62a8ab43],
    ['0 … 31', Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['123456789', [...'123456789'].map((digit) => digit.charCodeAt(0)), 0xe3069283],
  ])('of %s', (_title, bytes, expected) => {
    const all = Uint8Array.from(bytes)
    expect(crc32c(all)).toBe(expected)
    expect(crc32c(all.subarray(5), crc32c(all.subarray(0, 5)))).toBe(expected)
  })
})
