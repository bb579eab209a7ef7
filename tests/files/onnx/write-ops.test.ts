// writeOnnx: ops on the result of a convolution, whose channels are second in the file.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Conv2D, Input, Layer, Model, ops, tensor, type Tensor } from '../../../src'
import { loadOnnx } from '../../../src/entries/onnx'
import { floats } from '../../helpers/data'
import { expectSameInOnnx, writeAndKeep } from '../../helpers/onnx-files'

const numbers = (shape: readonly number[], seed = 1): Tensor => tensor([...floats(shape, -2, 2, seed).data], shape)
const ints = (x: Tensor): Tensor => ops.cast(ops.multiply(x, 4), 'int32')
const bools = (x: Tensor): Tensor => ops.greater(x, 0.2)

/** Ops of x [batch, 4, 5, 3]. */
const cases: Readonly<Record<string, (x: Tensor) => Tensor | readonly Tensor[]>> = {
  sum: (x) => [ops.sum(x, 1), ops.sum(x, { axis: [1, 3] }), ops.sum(ints(x), -1), ops.sum(bools(x), 2)],
  mean: (x) => ops.mean(x, { axis: [2, 3], keepDims: true }),
  extremes: (x) => [ops.max(x, -1), ops.min(x, 1), ops.amax(ints(x), 2), ops.any(bools(x), 1), ops.all(bools(x), -1)],
  'extreme places': (x) => [ops.argmax(x, 2), ops.argmin(x, -1), ops.argmax(ints(x), 1)],
  softmax: (x) => [ops.softmax(x), ops.softmax(x, 1), ops.logSoftmax(x), ops.logsumexp(x, 2)],
  concatenate: (x) => [ops.concatenate([x, x], 0), ops.concatenate([x, ops.multiply(x, 2)], 3)],
  stack: (x) => [ops.stack([x, ops.abs(x)], 2), ...ops.split(x, 2, 1), ...ops.unstack(x, null, 3)],
  slices: (x) => [ops.getItem(x, [':', '1:3', '::-1', '...']), ops.getItem(x, [':', -1]), ops.getItem(x, [0])],
  pad: (x) =>
    ops.pad(
      x,
      [
        [0, 0],
        [1, 0],
        [0, 2],
        [1, 1],
      ],
      'constant',
      0.5,
    ),
  'pad by reflection': (x) =>
    ops.pad(
      x,
      [
        [0, 0],
        [1, 1],
        [0, 2],
        [0, 0],
      ],
      'reflect',
    ),
  flip: (x) => [ops.flip(x, 1), ops.flip(x, [2, 3]), ops.roll(x, 1, 2)],
  transpose: (x) => [ops.sum(ops.transpose(x, [0, 3, 1, 2]), 2), ops.moveaxis(x, 1, 3), ops.swapaxes(x, 2, 3)],
  reshape: (x) => [ops.reshape(x, [-1, 20, 3]), ops.expandDims(x, 2), ops.reshape(x, [-1])],
  'operands that broadcast': (x) => [
    ops.add(x, tensor([1, 2, 3])),
    ops.multiply(numbers([5, 1]), x),
    ops.subtract(x, ops.mean(x, { axis: 3, keepDims: true })),
    ops.divide(ops.add(ops.mean(x, [1, 2]), 3), ops.add(ops.abs(ops.mean(x, { axis: [1, 2], keepDims: true })), 1)),
    ops.maximum(x, ops.sum(x, { axis: 0 })),
  ],
  where: (x) => [ops.where(bools(x), x, tensor([1, 2, 3])), ops.where(bools(x), 1, 0), ops.clip(x, -0.5, 0.5)],
  sort: (x) => [ops.sort(x, 1), ops.argsort(x, 2), ops.sort(ints(x), -1), ops.argsort(ops.round(x))],
  topK: (x) => [...ops.topK(x, 2)],
  running: (x) => [ops.cumsum(x, 1), ops.cumprod(x, 2), ops.cumsum(ints(x), 3), ops.cumprod(ints(x), 1)],
  take: (x) => [ops.take(x, tensor([2, 0], [2], 'int32'), 3), ops.takeAlongAxis(x, ops.argsort(x, 1), 1)],
  oneHot: (x) => [ops.oneHot(ops.argmax(x), 3), ops.oneHot(ops.argmax(x, 1), 5, 1)],
  products: (x) => [
    ops.matmul(x, numbers([3, 4])),
    ops.einsum('bhwc,bhvc->bwv', x, x),
    ops.tensordot(x, numbers([5, 2]), [[2], [0]]),
  ],
  repeat: (x) => [
    ops.repeat(x, 2, 1),
    ops.tile(x, [1, 2, 1, 1]),
    ops.broadcastTo(ops.expandDims(x, 1), [x.shape[0]!, 2, 4, 5, 3]),
  ],
  integers: (x) => [
    ops.mod(ints(x), 3),
    ops.floorDivide(ints(x), -3),
    ops.abs(ints(x)),
    ops.sign(x),
    ops.negative(ints(x)),
    ops.maximum(ints(x), 1),
    ops.multiply(ints(x), ints(ops.flip(x, 1))),
  ],
  rounding: (x) => [
    ops.floor(x),
    ops.ceil(x),
    ops.round(ops.multiply(x, 2)),
    ops.trunc(x),
    ops.mod(x, -0.7),
    ops.floorDivide(x, 0.3),
  ],
  logic: (x) => [
    ops.logicalAnd(bools(x), ops.less(x, 1)),
    ops.logicalOr(bools(x), ops.lessEqual(x, -1)),
    ops.logicalXor(bools(x), bools(ops.flip(x, 1))),
    ops.logicalNot(bools(x)),
    ops.equal(bools(x), ops.notEqual(ints(x), 0)),
    ops.less(bools(x), true),
    ops.isnan(ops.log(x)),
    ops.isfinite(ops.log(ops.relu(x))),
  ],
  exponentials: (x) => [
    ops.exp(x),
    ops.expm1(ops.multiply(x, 1e-3)),
    ops.expm1(x),
    ops.log1p(ops.abs(x)),
    ops.power(ops.abs(x), 1.5),
    ops.rsqrt(ops.add(ops.abs(x), 1)),
  ],
  activations: (x) => [
    ops.gelu(x),
    ops.gelu(x, false),
    ops.silu(x),
    ops.elu(x),
    ops.selu(x),
    ops.softplus(x),
    ops.hardSigmoid(x),
    ops.leakyRelu(x),
    ops.relu6(x),
    ops.celu(x),
    ops.logSigmoid(x),
    ops.softsign(x),
  ],
  angles: (x) => [
    ops.sin(x),
    ops.cos(x),
    ops.arctan(x),
    ops.arctan2(x, ops.flip(x, 1)),
    ops.tanh(x),
    ops.sinh(x),
    ops.arcsin(ops.tanh(x)),
    ops.arcsinh(x),
    ops.tan(x),
  ],
  normalizations: (x) => [
    ops.layerNorm(x, tensor([1, 2, 3]), tensor([3, 2, 1]), -1, 0.01),
    ops.layerNorm(x, numbers([4]), null, 1),
    ops.rmsNorm(x, null, [1, 2]),
    ops.layerNorm(x, numbers([4, 5, 3]), numbers([4, 5, 3], 2), [1, 2, 3], 0.01),
    ops.layerNorm(x, numbers([4, 5, 3]), null, [1, 2, 3]),
    ops.layerNorm(x, { axis: [1, 2, 3] }),
    ops.layerNorm(x, { beta: numbers([4, 5, 3]), axis: [1, 2, 3] }),
    ops.rmsNorm(ops.reshape(x, [-1, 2, 30]), numbers([30])),
    ops.rmsNorm(x, null, [1, 2, 3]),
    ops.vectorizedMap((each: Tensor) => {
      const rows = ops.reshape(each, [2, 30])
      return ops.layerNorm(rows, ops.mean(rows, 0), ops.max(rows, 0))
    }, x),
  ],
  statistics: (x) => [ops.variance(x, 1), ops.std(x, -1), ops.median(x, 2), ops.norm(x, { axis: -1 }), ops.prod(x, 1)],
  segments: (x) => [
    ops.segmentSum(ops.reshape(ops.moveaxis(x, 2, 0), [5, -1]), tensor([0, 2, 1, 2, -1], [5], 'int32'), 3),
    ops.bincount(ops.reshape(ops.abs(ints(ops.getItem(x, [0]))), [60]), { minlength: 8 } as never),
  ],
  searchsorted: (x) => [ops.searchsorted(tensor([-1, 0, 1]), x), ops.digitize(x, tensor([-0.5, 0.5]))],
  triangles: (x) => [ops.tril(x), ops.triu(x, 1), ops.diagonal(x, 0, 1, 2)],
  erf: (x) => ops.erf(x),
  fourier: (x) => {
    const { real: a, imag } = ops.fft({ real: ops.getItem(x, ['...', '0:2']), imag: ops.getItem(x, ['...', '1:3']) })
    return [a, imag, ops.irfft({ real: a, imag })]
  },
  resize: (x) => [ops.image.resize(x, [6, 7]), ops.image.resize(x, [2, 3], { interpolation: 'nearest' } as never)],
  loops: (x) => [
    ops.map((row: Tensor) => ops.multiply(row, ops.sum(row)), x) as Tensor,
    ops.cond(
      ops.greater(ops.sum(ops.getItem(x, [0])), 0),
      () => ops.add(x, 1),
      () => ops.multiply(x, 2),
    ) as Tensor,
    (
      ops.scan((c: Tensor): [Tensor, Tensor] => [ops.multiply(c, 0.5), ops.sum(c, 3)], x, null, {
        length: 3,
      } as never) as unknown as [Tensor, Tensor]
    )[1],
  ],
}

class Ops extends Layer<Tensor, readonly Tensor[]> {
  static readonly className = 'Ops'
  constructor(readonly body: (x: Tensor) => Tensor | readonly Tensor[]) {
    super({})
  }
  call(x: Tensor): readonly Tensor[] {
    return [this.body(x)].flat() as readonly Tensor[]
  }
}

function modelOf(body: (x: Tensor) => Tensor | readonly Tensor[]): Model<unknown, unknown> {
  const x = Input({ shape: [4, 5, 2], name: 'x' })
  const z = new Conv2D({ filters: 3, kernelSize: 1 }).apply(x)
  return new Model<unknown, unknown>({ inputs: x, outputs: new Ops(body).apply(z) })
}

describe('ops', () => {
  it.each(Object.entries(cases))('%s', async (name, body) => {
    await expectSameInOnnx(`op-${name.replaceAll(' ', '-')}`, modelOf(body), numbers([4, 4, 5, 2]))
  })

  it('a loop whose condition is data is written, and refused where it is read', async () => {
    const model = modelOf(
      (x) =>
        ops.whileLoop(
          (c: Tensor) => ops.less(ops.sum(ops.abs(c)), 1000),
          (c: Tensor) => ops.multiply(c, 2),
          x,
        ) as Tensor,
    )
    const { bytes } = await writeAndKeep('op-while', model, numbers([4, 4, 5, 2]))
    await expect(loadOnnx(bytes)).rejects.toThrow(/depends on data\. Only loops whose number of iterations is known/)
  })
})
