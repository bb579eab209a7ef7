// Names of users and of files become keys of records, whatever they are: `__proto__` is lost by an assignment, `constructor` is one of
// every prototype.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Dense, Input, Model, Sequential, loadModel, metrics, tensor, type Tensor } from '../../src'
import { typed } from '../../src/core/tree'
import { Dataset, readCsv, readNpz, writeNpz } from '../../src/entries/data'
import { writeKeras } from '../../src/entries/keras'

const x = [[1, 2]]
const FIT = { verbose: 0, epochs: 2, validationData: [x, x] } as const

describe.each(['__proto__', 'constructor', 'toString', '__defineGetter__'])('the name %s', (name) => {
  it('of a metric is in the logs and the history', async () => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [2] })])
    model.compile({ optimizer: 'sgd', loss: 'mse', metrics: [new metrics.MeanAbsoluteError({ name })] })
    const { history } = await model.fit(x, x, FIT)
    expect(Object.hasOwn(history, name)).toBe(true)
    expect(Object.entries(history).map(([, values]) => values.length)).toEqual([2, 2, 2, 2])
    expect(Object.keys(await model.evaluate(x, x, { verbose: 0 }))).toContain(name)
  })

  it('of an array is in what readNpz reads', async () => {
    const bytes = await writeNpz(
      Object.fromEntries([
        [name, tensor([1, 2])],
        ['other', tensor([3])],
      ]),
    )
    const read = await readNpz(bytes)
    expect(Object.entries(read).map(([key, { data }]) => [key, [...data]])).toEqual([
      [name, [1, 2]],
      ['other', [3]],
    ])
  })

  it('of an input and of an output is in what the model takes and predicts', async () => {
    const [a, b] = [Input({ shape: [2], name: 'a' }), Input({ shape: [2], name })]
    const one = new Dense({ units: 1, name: 'one' }).apply(a)
    const inputs = Object.fromEntries([
      ['a', a],
      [name, b],
    ])
    const outputs = Object.fromEntries([
      ['one', one],
      [name, new Dense({ units: 1, name: `${name}s` }).apply(b)],
    ])
    const model = new Model({ inputs, outputs })
    model.compile({
      optimizer: 'sgd',
      loss: Object.fromEntries([
        ['one', 'mse'],
        [name, 'mae'],
      ]) as never,
    })
    const [rows, targets] = [
      Object.fromEntries([
        ['a', x],
        [name, x],
      ]),
      Object.fromEntries([
        ['one', [[1]]],
        [name, [[1]]],
      ]),
    ]
    await model.fit(rows, targets, { verbose: 0 })
    const contents = (predicted: unknown) =>
      Object.entries(predicted as Record<string, Tensor>).map(([key, { data }]) => [key, [...data]])
    const expected = contents(await model.predict(rows))
    expect(expected.map(([key]) => key)).toEqual(['one', name])
    for (const bytes of [await model.save(), await writeKeras(model as never)]) {
      const again = await loadModel<never, Record<string, Tensor>>(bytes)
      expect(new Map(contents(await again.predict(rows as never)) as never)).toEqual(new Map(expected as never))
    }
  })

  it('of a column is in rows and batches', async () => {
    const csv = readCsv(new TextEncoder().encode(`a,${name},y\n1,2,3\n`), { target: 'y' })
    const [[features]] = typed<[[object, number]]>(await csv.toArray())
    expect(Object.entries(features)).toEqual([
      ['a', 1],
      [name, 2],
    ])
    const batches = Dataset.fromTensorSlices(Object.fromEntries([[name, tensor([[1], [2]])]])).batch(2)
    for await (const batch of batches) expect(Object.keys(batch as object)).toEqual([name])
  })
})
