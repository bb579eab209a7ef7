// Models of other kinds as modules: quantized and reduced ones, those of ONNX files, one that was pruned, one with a Lambda.
// modes: simd

import { expect, it } from 'vitest'
import {
  BatchNormalization,
  Conv2D,
  Dense,
  Flatten,
  Input,
  LSTM,
  Lambda,
  MaxPooling2D,
  Sequential,
  type Tensor,
  ops,
  tensor,
} from '../../src'
import { loadOnnx } from '../../src/entries/onnx'
import { lowRank, pruneUnits, quantize } from '../../src/entries/thrift'
import { flatten, typed } from '../../src/core/tree'
import { floats } from '../helpers/data'
import { bytesOf, golden } from '../helpers/onnx-networks'
import { written, type AnyModel } from './written'

const numbers = (shape: readonly number[]): Tensor => tensor([...floats(shape, -2, 2, 1).data], shape)

async function expectSameRow(model: AnyModel, x: Tensor): Promise<void> {
  const { predict } = await written(model)
  const row = ops.slice(
    x,
    x.shape.map(() => 0),
    [1, ...x.shape.slice(1)],
  )
  expect(predict(row.data)).toEqual((model.predictOnBatch(row) as Tensor).data)
}

const network = (): Sequential =>
  new Sequential([
    new Conv2D({ filters: 16, kernelSize: 3, activation: 'relu', inputShape: [12, 12, 3] }),
    new BatchNormalization(),
    new MaxPooling2D(),
    new Flatten(),
    new Dense({ units: 64, activation: 'relu' }),
    new Dense({ units: 5, activation: 'softmax' }),
  ])

it('weights of 8 and 4 bits', async () => {
  const x = numbers([4, 12, 12, 3])
  await expectSameRow(quantize(network(), { calibration: x }), x)
  const dense = new Sequential([new Dense({ units: 64, inputShape: [64] }), new Dense({ units: 32 })])
  await expectSameRow(quantize(dense, { bits: 4 }), numbers([2, 64]))
})

it('fewer units and lower ranks', async () => {
  const x = numbers([4, 12, 12, 3])
  await expectSameRow(lowRank(network(), { energy: 0.9 } as never), x)
  await expectSameRow(await pruneUnits(network(), { keep: 0.5, x, y: tensor([0, 1, 2, 3], [4], 'int32') } as never), x)
})

it('functions of users that are made of ops', async () => {
  const model = new Sequential([
    Input({ shape: [7, 3] }),
    new Lambda({ function: (x: Tensor) => ops.add(ops.sin(x), ops.cumsum(x, 1)) }),
    new LSTM({ units: 5, returnSequences: true, goBackwards: true }),
    new Lambda({ function: (x: Tensor) => ops.sort(ops.max(x, 1), -1) }),
  ])
  await expectSameRow(model, numbers([2, 7, 3]))
})

// The states of `streaming` have their batch behind the layers: they are no rows.
const names = Object.keys(golden).filter((name) => !name.startsWith('streaming'))
it.each(names)('the ONNX file %s', async (name) => {
  const model: AnyModel = await loadOnnx(bytesOf(name))
  const rows = Object.entries(golden[name]!.inputs).map(([key, nested]): [string, Tensor] => {
    const x = tensor(nested)
    return [
      key,
      ops.slice(
        x,
        x.shape.map(() => 0),
        [1, ...x.shape.slice(1)],
      ),
    ]
  })
  const isOne = rows.length === 1
  const shapes = Object.fromEntries(rows.map(([key, { shape }]) => [key, [null, ...shape.slice(1)]]))
  const { predict, info } = await written(model, { shapes })
  const expected = flatten<Tensor>(typed(model.predictOnBatch(isOne ? rows[0]![1] : Object.fromEntries(rows))))
  const result = predict(isOne ? rows[0]![1].data : Object.fromEntries(rows.map(([key, { data }]) => [key, data])))
  const found = ArrayBuffer.isView(result)
    ? [result]
    : info.outputs.map(({ name: each }) => Reflect.get(result as object, each))
  expect(found).toEqual(expected.map(({ data }) => data))
})
