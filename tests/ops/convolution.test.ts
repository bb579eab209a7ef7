// Convolution, pooling and resizing as users call them: compared with plain sums, with each other, and with wrong
// input.

import { describe, expect, it } from 'vitest'
import { ArgumentError, ShapeError, ops, tensor, vjp, type Tensor } from '../../src'
import { floats } from '../helpers/data'
import { expectNear } from '../helpers/golden'

const make = (shape: readonly number[], seed = 1): Tensor => tensor([...floats(shape, -2, 2, seed).data], shape)
const near = (received: Tensor, expected: Tensor, where: string): void => {
  expect(received.shape, where).toEqual(expected.shape)
  expectNear(received.data, expected.data, where, 1e-5)
}

describe('conv', () => {
  it('is a sum over a window', () => {
    const y = ops.conv(tensor([[1], [2], [3], [4]], [1, 4, 1]), tensor([10, 1], [2, 1, 1]))
    expect([...y.data]).toEqual([12, 23, 34])
  })

  it('has the positions that strides, dilation and padding give', () => {
    const x = make([2, 7, 8, 3])
    const kernel = make([3, 2, 3, 4], 2)
    expect(ops.conv(x, kernel).shape).toEqual([2, 5, 7, 4])
    expect(ops.conv(x, kernel, { strides: [2, 3] }).shape).toEqual([2, 3, 3, 4])
    expect(ops.conv(x, kernel, { padding: 'same', strides: 2 }).shape).toEqual([2, 4, 4, 4])
    expect(ops.conv(x, kernel, { dilationRate: 2, strides: 2 }).shape).toEqual([2, 2, 3, 4])
  })

  it('convolves groups separately', () => {
    const [x, kernel] = [make([2, 5, 5, 4]), make([3, 3, 2, 6], 2)]
    const halves = [0, 1].map((i) =>
      ops.conv(ops.slice(x, [0, 0, 0, 2 * i], [-1, -1, -1, 2]), ops.slice(kernel, [0, 0, 0, 3 * i], [-1, -1, -1, 3])),
    )
    near(ops.conv(x, kernel), ops.concatenate(halves, 3), 'groups')
  })

  it('with one pixel is a matrix product', () => {
    const [x, kernel] = [make([2, 3, 4, 5]), make([1, 1, 5, 6], 2)]
    near(ops.conv(x, kernel), ops.matmul(x, ops.reshape(kernel, [5, 6])), 'product')
  })

  it.each([
    ['channels that are no groups', () => ops.conv(make([1, 4, 4, 3]), make([2, 2, 2, 4]))],
    ['filters that the groups do not divide', () => ops.conv(make([1, 4, 4, 4]), make([2, 2, 2, 3]))],
    ['a window larger than the input', () => ops.conv(make([1, 2, 4, 1]), make([3, 3, 1, 1]))],
    ['a kernel of another rank', () => ops.conv(make([1, 4, 4, 1]), make([3, 1, 1]))],
    ['no spatial axes', () => ops.conv(make([4, 4]), make([3, 1]))],
  ])('refuses %s', (_title, call) => expect(call).toThrow(ShapeError))

  it('refuses unknown options, and suggests the nearest', () => {
    expect(() => ops.conv(make([1, 4, 1]), make([2, 1, 1]), { stride: 2 } as object)).toThrow(/strides/)
    expect(() => ops.conv(make([1, 4, 1]), make([2, 1, 1]), { padding: 'full' as never })).toThrow(ArgumentError)
  })
})

describe('convTranspose', () => {
  it('is the gradient of conv', () => {
    const [x, kernel] = [make([2, 6, 5, 3]), make([3, 2, 3, 4], 2)]
    const [y, pullBack] = vjp((image) => ops.conv(image, kernel, { strides: 1 }), x)
    const dy = make(y.shape, 3)
    near(ops.convTranspose(dy, kernel), pullBack(dy)[0], 'transposed')
  })

  it('adds a multiple of the kernel for each element', () => {
    const y = ops.convTranspose(tensor([1, 2], [1, 2, 1]), tensor([1, 10, 100], [3, 1, 1]), { strides: 2 })
    expect([...y.data]).toEqual([1, 10, 102, 20, 200])
  })

  it('refuses other channels, and empty results', () => {
    expect(() => ops.convTranspose(make([1, 3, 2]), make([2, 4, 3]))).toThrow(ShapeError)
    expect(() => ops.convTranspose(make([1, 3, 2]), make([2, 4, 2]), { outputPadding: -1 })).toThrow(ArgumentError)
  })
})

describe('depthwiseConv and separableConv', () => {
  it('keep channels separate', () => {
    const [x, kernel] = [make([2, 5, 5, 3]), make([2, 2, 3, 2], 2)]
    const apart = [0, 1, 2].map((c) =>
      ops.conv(ops.slice(x, [0, 0, 0, c], [-1, -1, -1, 1]), ops.slice(kernel, [0, 0, c, 0], [-1, -1, 1, -1])),
    )
    near(ops.depthwiseConv(x, kernel), ops.concatenate(apart, 3), 'depthwise')
  })

  it('mix channels afterwards', () => {
    const [x, depth, point] = [make([1, 5, 5, 2]), make([3, 3, 2, 2], 2), make([1, 1, 4, 3], 3)]
    near(
      ops.separableConv(x, depth, point, { padding: 'same' }),
      ops.conv(ops.depthwiseConv(x, depth, { padding: 'same' }), point),
      'separable',
    )
    expect(() => ops.separableConv(x, depth, make([2, 1, 4, 3]))).toThrow(ShapeError)
    expect(() => ops.depthwiseConv(x, make([3, 3, 3, 1]))).toThrow(ShapeError)
  })
})

describe('maxPool and averagePool', () => {
  const x = tensor([1, 5, 2, 4, 3], [1, 5, 1])

  it('reduce windows', () => {
    expect([...ops.maxPool(x, 2).data]).toEqual([5, 4])
    expect([...ops.averagePool(x, 2).data]).toEqual([3, 3])
    expect([...ops.maxPool(x, 3, { strides: 1 }).data]).toEqual([5, 5, 4])
  })

  it('ignore padding', () => {
    expect([...ops.averagePool(x, 2, { padding: 'same' }).data]).toEqual([3, 3, 3])
    expect([...ops.averagePool(x, 3, { padding: 'same', strides: 2 }).data]).toEqual([3, 11 / 3, 3.5].map(Math.fround))
    expect([...ops.maxPool(ops.negative(x), 3, { padding: 'same', strides: 2 }).data]).toEqual([-1, -2, -3])
  })

  it('refuse a window that does not fit, and inputs that are not images', () => {
    expect(() => ops.maxPool(x, 6)).toThrow(/window/)
    expect(() => ops.averagePool(tensor([1, 2]), 1)).toThrow(ShapeError)
  })
})

describe('resize', () => {
  it('keeps a constant image, whatever the method', () => {
    const flat = ops.full([1, 3, 4, 2], 7)
    for (const interpolation of ['nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5'] as const) {
      near(ops.resize(flat, [5, 2], { interpolation }), ops.full([1, 5, 2, 2], 7), interpolation)
    }
  })

  it('averages the omitted pixels of a smaller image, on request', () => {
    const steps = tensor([0, 1, 2, 3], [1, 1, 4, 1])
    expect([...ops.resize(steps, [1, 2]).data]).toEqual([0.5, 2.5])
    expectNear(ops.resize(steps, [1, 2], { antialias: true }).data, [5 / 7, 16 / 7], 'antialias', 1e-6)
    expect(() => ops.resize(tensor([1, 2]), 3)).toThrow(ShapeError)
    expect(ops.resize(tensor([[[1], [2]]]), [2, 4], { interpolation: 'nearest' }).toArray()).toEqual([
      [[1], [1], [2], [2]],
      [[1], [1], [2], [2]],
    ])
  })
})

describe('affineTransform', () => {
  const row = tensor([1, 2, 3], [1, 1, 3, 1])
  const moved = (by: number, options: object): number[] => [
    ...ops.affineTransform(row, [1, 0, by, 0, 1, 0, 0, 0], options).data,
  ]

  it('fills the area beyond the edges as requested', () => {
    expect(moved(2, {})).toEqual([3, 0, 0])
    expect(moved(2, { fillValue: 9 })).toEqual([3, 9, 9])
    expect(moved(2, { fillMode: 'nearest' })).toEqual([3, 3, 3])
    expect(moved(2, { fill_mode: 'reflect' })).toEqual([3, 3, 2])
    expect(moved(-7, { fillMode: 'reflect' })).toEqual([1, 1, 2])
    expect(moved(-4, { fillMode: 'wrap' })).toEqual([3, 1, 2])
    expect(moved(0.5, { fillMode: 'nearest' })).toEqual([1.5, 2.5, 3])
  })

  it('refuses invalid arguments', () => {
    expect(() => ops.affineTransform(row, [1, 0, 0, 0, 1, 0])).toThrow(
      'affineTransform: the transform must be [8], or [1, 8] for each image, received [6]',
    )
    expect(() => ops.affineTransform(row, ops.ones([2, 8]))).toThrow(ShapeError)
    expect(() => ops.affineTransform([1, 2], ops.ones([8]))).toThrow(/expected images/)
    expect(() => ops.affineTransform(row, ops.ones([8]), { fillMode: 'mirrored' as never })).toThrow(
      /fillMode must be 'reflect'/,
    )
  })
})

describe('batchNorm, layerNorm and rmsNorm', () => {
  const x = tensor([
    [1, 2],
    [3, 6],
  ])

  it('normalize to mean 0 and variance 1', () => {
    near(
      ops.batchNorm(x, tensor([2, 4]), tensor([1, 4]), { epsilon: 0 }),
      tensor([
        [-1, -1],
        [1, 1],
      ]),
      'batch',
    )
    near(
      ops.batchNorm(x, tensor([2, 4]), tensor([1, 4]), {
        epsilon: 0,
        axis: 0,
        scale: tensor([2, 3]),
        offset: tensor([1, 1]),
      }),
      tensor([
        [-1, 1],
        [-0.5, 4],
      ]),
      'axis 0',
    )
    near(
      ops.layerNorm(x, { epsilon: 0 }),
      tensor([
        [-1, 1],
        [-1, 1],
      ]),
      'layer',
    )
    near(
      ops.layerNorm(x, { epsilon: 0, axis: 0, gamma: tensor([2, 1]), beta: tensor([0, 5]) }),
      tensor([
        [-2, -2],
        [6, 6],
      ]),
      'layer axis 0',
    )
    near(ops.rmsNorm(tensor([[3, 4]]), { epsilon: 0 }), tensor([[3 / Math.sqrt(12.5), 4 / Math.sqrt(12.5)]]), 'rms')
    near(
      ops.normalize(
        tensor([
          [3, 4],
          [0, 0],
        ]),
      ),
      tensor([
        [0.6, 0.8],
        [0, 0],
      ]),
      'length',
    )
  })

  it('refuse weights that do not fit', () => {
    expect(() => ops.batchNorm(x, tensor([1, 2, 3]), tensor([1, 2]))).toThrow(ShapeError)
    expect(() => ops.layerNorm(x, { gamma: tensor([1, 2, 3]) })).toThrow(ShapeError)
    expect(() => ops.rmsNorm(x, { scale: tensor([1]) })).toThrow(ShapeError)
  })
})
