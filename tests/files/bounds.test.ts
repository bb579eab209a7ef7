// Small options and small files that would exhaust a process: refused before anything is allocated.
// modes: simd
import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  Dense,
  Discretization,
  Equalization,
  FormatError,
  IntegerLookup,
  Sequential,
  StringLookup,
  loadModel,
  metrics,
} from '../../src'
import { imageFolder } from '../../src/entries/data'
import { decodeContainer, encodeContainer } from '../../src/files/containers/safetensors'
import { readFile } from '../../src/files/onnx/file'
import { errorOf } from '../helpers/training'
import { processorTime } from '../helpers/processor-time'

describe('a table that is far too large', () => {
  it.each<[string, (most: number) => unknown]>([
    ['StringLookup: numOovIndices', (most) => new StringLookup({ numOovIndices: most, vocabulary: ['a'] })],
    ['IntegerLookup: numOovIndices', (most) => new IntegerLookup({ numOovIndices: most })],
    ['Discretization: numBins', (most) => new Discretization({ numBins: most })],
    ['Equalization: bins', (most) => new Equalization({ bins: most })],
    ['AUC: numThresholds', (most) => new metrics.AUC({ numThresholds: most })],
    ['AUC: numLabels', (most) => new metrics.AUC({ multiLabel: true, numLabels: most })],
    ['PrecisionAtRecall: numThresholds', (most) => new metrics.PrecisionAtRecall({ recall: 0.5, numThresholds: most })],
    ['MeanIoU: numClasses', (most) => new metrics.MeanIoU({ numClasses: most })],
    ['ConfusionMatrix: numClasses', (most) => new metrics.ConfusionMatrix({ numClasses: most })],
  ])('%s', async (name, make) => {
    for (const most of [1e7, 1e9, 2 ** 53 - 1]) {
      const begin = processorTime()
      const error = await errorOf(async () => make(most))
      expect(error).toBeInstanceOf(ArgumentError)
      expect(error.message).toContain(name.split(': ')[1])
      expect(error.message).toContain(`received ${most}`)
      expect(processorTime() - begin).toBeLessThan(5000)
    }
  })

  it('an image of imageFolder, before the folder is read', async () => {
    const error = await errorOf(() => imageFolder('nowhere', { imageSize: [1e9, 1e9] }))
    expect(error).toBeInstanceOf(ArgumentError)
    expect(error.message).toContain('imageSize must have at most')
  })
})

it('a small file that would make many large variables', async () => {
  const model = new Sequential([new Dense({ units: 1, inputShape: [1] })])
  model.compile({ loss: 'mse', metrics: ['mae'] })
  const { metadata, tensors } = decodeContainer(await model.save())
  const description: { compile: { metrics: unknown } } = JSON.parse(metadata['description']!)
  description.compile.metrics = Array.from({ length: 60 }, (_, i) => ({
    className: 'AUC',
    config: { name: `a${i}`, numThresholds: 100_000, multiLabel: true, numLabels: 100 },
  }))
  const bytes = encodeContainer([...tensors.values()], { ...metadata, description: JSON.stringify(description) })
  expect(bytes.length).toBeLessThan(10_000)
  const error = await errorOf(() => loadModel(bytes))
  expect(error).toBeInstanceOf(FormatError)
  expect(error.message).toContain('far larger than the file')
})

it('an ONNX graph of very many nodes is refused before they are read', () => {
  // ir_version 8; graph: { node: { op_type: '' }, … }
  const node = [0x0a, 2, 0x22, 0]
  const size = 300_000 * node.length
  const bytes = new Uint8Array(6 + size)
  bytes.set([0x08, 8, 0x3a, (size & 127) | 128, ((size >> 7) & 127) | 128, size >> 14])
  for (let at = 6; at < bytes.length; at += node.length) bytes.set(node, at)
  const started = process.cpuUsage()
  expect(() => readFile(bytes, 'net.onnx')).toThrow(
    new FormatError('net.onnx: its graph has 300000 nodes, more than 32768'),
  )
  expect(process.cpuUsage(started).user).toBeLessThan(1e6)
})
