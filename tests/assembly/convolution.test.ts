// Convolutions in tiles of 16 channels give the same as in tiles of 8, to the last bit: sizes around both tiles.
// modes: simd, relaxed

import '../helpers/families'
import { describe, expect, it } from 'vitest'
import { infoOf, makeRuntime } from '../../src/engine/runtime/configure'
import { currentRuntime } from '../../src/engine/runtime/current'
import { floats, type TensorContent } from '../helpers/data'
import { graphOf, runGraph } from '../helpers/graphs'

const { settings } = currentRuntime()
const window = { strides: [1, 1], dilation: [1, 1], before: [0, 0], after: [0, 0], groups: 1 }
const around = { ...window, before: [2, 1], after: [1, 2] }

describe.runIf(settings.simd === 'relaxed' && settings.backend === 'wasm')('convolutions in wide tiles', () => {
  const wide = makeRuntime({ ...settings, wideTiles: true })

  it('are enabled', () => expect(infoOf(wide).tile).toBe('6×16'))

  // [rows, columns, channels, filters]; places of a 3 × 3 window: 5 of one block up to several blocks of 96.
  it.each([
    [3, 7, 2, 16],
    [4, 8, 3, 17],
    [5, 6, 3, 15],
    [5, 6, 5, 24],
    [6, 8, 3, 31],
    [9, 10, 4, 32],
    [9, 11, 3, 33],
    [14, 15, 2, 48],
    [12, 20, 7, 40],
    [15, 17, 40, 250],
    // in tiles of 2 × 2 places
    [10, 10, 32, 32],
    [13, 18, 40, 56],
    [11, 12, 136, 72],
  ])('%i × %i × %i → %i', (rows, columns, channels, filters) => {
    const inputs: TensorContent[] = [
      floats([2, rows, columns, channels], -2, 2, 3),
      floats([3, 3, channels, filters], -2, 2, 4),
      floats([filters], -2, 2, 5),
    ]
    const graph = graphOf(inputs, (b, [x, kernel, bias]) => {
      const y = b.emitOne('relu', [b.e.add(b.e.convolution(x!, kernel!, window), bias!)], {})
      return [
        y,
        b.e.convolutionKernel(x!, y, { ...window, kernel: [3, 3] }),
        b.e.convolution(x!, kernel!, around),
        b.e.convolutionTranspose(y, kernel!, { ...window, spatial: [rows, columns] }),
      ]
    })
    expect(runGraph(wide, graph, inputs)).toEqual(runGraph(currentRuntime(), graph, inputs))
  })

  it('with groups and strides', () => {
    const slide = { strides: [2, 1], dilation: [1, 2], before: [0, 1], after: [1, 0], groups: 2 }
    const inputs: TensorContent[] = [floats([2, 11, 13, 6], -2, 2, 3), floats([3, 3, 3, 64], -2, 2, 4)]
    const graph = graphOf(inputs, (b, [x, kernel]) => {
      const y = b.e.convolution(x!, kernel!, slide)
      return [y, b.e.convolutionKernel(x!, y, { ...slide, kernel: [3, 3] })]
    })
    expect(runGraph(wide, graph, inputs)).toEqual(runGraph(currentRuntime(), graph, inputs))
  })
})
