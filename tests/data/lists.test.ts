// Lists of tensors: the rows of one input, or one for each of several inputs.
// modes: simd

import { describe, expect, it } from 'vitest'
import {
  Add,
  Conv2D,
  Dense,
  Flatten,
  GlobalAveragePooling2D,
  Input,
  Model,
  Sequential,
  ShapeError,
  Tensor,
  ops,
  tensor,
} from '../../src'
import { generator } from '../helpers/data'

const random = generator(7)
const image = (...shape: readonly number[]): Tensor =>
  new Tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random()),
    shape,
    'float32',
  )
const small = (): Tensor => image(4, 5, 3)
const models = {
  'a known shape': () => new Sequential([new Flatten({ inputShape: [4, 5, 3] }), new Dense({ units: 2 })]),
  'open sides': () =>
    new Sequential([new GlobalAveragePooling2D({ inputShape: [null, null, 3] }), new Dense({ units: 2 })]),
} satisfies Record<string, () => Sequential>

describe.each(Object.entries(models))('a model with %s', (_, make) => {
  it('predicts the images of a list, and one', async () => {
    const model = make()
    const images = [small(), small(), small()]
    const whole = (await model.predict(ops.stack(images))) as Tensor
    expect(((await model.predict(images)) as Tensor).toArray()).toEqual(whole.toArray())
    const [first] = images as [Tensor]
    const alone = (await model.predict([first])) as Tensor
    expect(alone.shape).toEqual([1, 2])
    // The products of one row have other last bits.
    alone.data.forEach((value, i) => expect(value).toBeCloseTo(whole.data[i]!, 5))
    // As in Keras, the input may be in a list.
    expect(((await model.predict([ops.stack(images)])) as Tensor).shape).toEqual([3, 2])
    const plain = images.map(({ data, shape }) => ({ data, shape }))
    expect(((await model.predict(plain)) as Tensor).toArray()).toEqual(whole.toArray())
  })

  it('trains, validates and evaluates with lists', async () => {
    const model = make()
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const images = [small(), small(), small(), small()]
    const targets = images.map(() => tensor([1, 0]))
    const before = await model.evaluate(ops.stack(images), ops.stack(targets), { verbose: 0 })
    expect(await model.evaluate(images, targets, { verbose: 0 })).toEqual(before)
    const { history } = await model.fit(images, targets, {
      epochs: 1,
      batchSize: 4,
      verbose: 0,
      validationData: [images.slice(0, 2), targets.slice(0, 2)],
    })
    expect(history['loss']![0]).toBeCloseTo((before as { loss: number }).loss, 5)
    expect(history['valLoss']).toHaveLength(1)
  })

  it('says which image differs, and that a list has no batches', async () => {
    const model = make()
    await expect(model.predict([small(), small(), image(4, 6, 3)])).rejects.toThrow(
      /x(?:\.0)?: element 2 must have shape \[4, 5, 3\] as element 0, received \[4, 6, 3\]\. Images get one size by readImage/,
    )
    await expect(model.predict([image(2, 4, 5, 3), image(2, 4, 5, 3)])).rejects.toThrow(
      /become one by ops\.concatenate/,
    )
    await expect(model.predict([small(), small(), image(4, 6, 3)])).rejects.toThrow(ShapeError)
    const integers = new Tensor(new Int32Array(60), [4, 5, 3], 'int32')
    await expect(model.predict([small(), integers])).rejects.toThrow(/element 1 must be float32 as element 0/)
  })
})

it('a model with its one input in a list takes them, too', async () => {
  const x = Input({ shape: [4, 5, 3] })
  const model = new Model({ inputs: [x], outputs: new Flatten().apply(x) as Tensor })
  const images = [small(), small()]
  const whole = ((await model.predict([ops.stack(images)])) as Tensor).toArray()
  for (const list of [images, [images]])
    expect(((await model.predict(list as never)) as Tensor).toArray()).toEqual(whole)
  expect(((await model.predict([small()])) as Tensor).shape).toEqual([1, 60])
})

it('a model that is not built stacks them, too', async () => {
  const model = new Sequential([new Conv2D({ filters: 2, kernelSize: 2 }), new Flatten(), new Dense({ units: 3 })])
  expect((await model.predict([small(), small()])).shape).toEqual([2, 3])
})

it('for several inputs, a list has the inputs, each of which may be a list of images', async () => {
  const [a, b] = [Input({ shape: [4, 5, 3] }), Input({ shape: [4, 5, 3] })]
  const sum = new Add().apply([a, b]) as Tensor
  const model = new Model({ inputs: [a, b], outputs: new Flatten().apply(sum) as Tensor })
  const [left, right] = [
    [small(), small()],
    [small(), small()],
  ]
  const whole = (await model.predict([ops.stack(left), ops.stack(right)])) as Tensor
  for (const x of [
    [left, right],
    [left, ops.stack(right)],
  ])
    expect(((await model.predict(x as never)) as Tensor).toArray()).toEqual(whole.toArray())
  // One image for each input is no batch.
  await expect(model.predict([small(), small()])).rejects.toThrow(/For one sample, make a batch of 1/)
})

it('columns in a list keep their meaning', async () => {
  const model = new Sequential([new Dense({ units: 1, inputShape: [1] })])
  expect((await model.predict([tensor([1, 2, 3])])).shape).toEqual([3, 1])
  expect((await model.predict([tensor([1]), tensor([2])])).shape).toEqual([2, 1])
  const rows = new Sequential([new Dense({ units: 1, inputShape: [3] })])
  expect((await rows.predict([tensor([1, 2, 3]), tensor([4, 5, 6])])).shape).toEqual([2, 1])
  expect((await rows.predict([tensor([1, 2, 3])])).shape).toEqual([1, 1])
})
