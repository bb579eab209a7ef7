// CTC compared with the sum over all paths, its gradient with finite differences, its mask, its tape, and a model that
// trains with it. golden.test.ts has the numbers of Keras.
import { describe, expect, it } from 'vitest'
import {
  Dense,
  LSTM,
  Masking,
  Sequential,
  grad,
  loadModel,
  losses,
  ops,
  runtimeInfo,
  setRandomSeed,
  tensor,
  disassemble,
} from '../../src'
import { generator } from '../helpers/data'
import { expectNear } from '../helpers/golden'

type Rows = readonly (readonly number[])[]

/** −ln of the probability of all paths that collapse to the labels, one by one. */
function overAllPaths(labels: readonly number[], logits: Rows): number {
  const wanted = labels.filter((label) => label !== 0).join()
  const probabilities = logits.map((row) => {
    const sum = row.reduce((total, x) => total + Math.exp(x), 0)
    return row.map((x) => Math.exp(x) / sum)
  })
  let total = 0
  const extend = (path: readonly number[], p: number): void => {
    if (path.length < logits.length)
      return probabilities[path.length]!.forEach((each, k) => extend([...path, k], p * each))
    const joined = path.filter((k, t) => k !== path[t - 1]).filter((k) => k !== 0)
    if (joined.join() === wanted) total += p
  }
  extend([], 1)
  return -Math.log(total)
}

function randomLogits(steps: number, classes: number, seed: number): number[][] {
  const random = generator(seed)
  return Array.from({ length: steps }, () => Array.from({ length: classes }, () => 4 * random() - 2))
}

describe('ctc', () => {
  it.each([
    [[1], 1],
    [[1], 4],
    [[1, 2], 2],
    [[1, 2], 4],
    [[1, 1], 3],
    [[2, 2], 5],
    [[1, 2, 1], 5],
    [[2, 2, 1], 4],
    [[1, 1, 1], 5],
    [[0], 3],
    [[1, 0, 0], 4],
    [[2, 1, 0], 5],
  ])('of the labels %j in %i steps equals the sum over all paths', (labels, steps) => {
    const logits = randomLogits(steps, 3, steps)
    expectNear(losses.ctc([labels], [logits]).data, [overAllPaths(labels, logits)], 'loss')
  })

  it('has the gradient of finite differences', () => {
    const logits = randomLogits(4, 3, 7)
    const gradient = grad((x) => ops.sum(losses.ctc([[1, 1]], x)))(tensor([logits]))
    const step = 1e-5
    const expected = logits.flatMap((row, t) =>
      row.map((_, k) => {
        const at = (shift: number): number =>
          overAllPaths(
            [1, 1],
            logits.map((each, i) => each.map((x, j) => (i === t && j === k ? x + shift : x))),
          )
        return (at(step) - at(-step)) / (2 * step)
      }),
    )
    expectNear(gradient.data, expected, 'gradient')
  })

  it('stays finite for large logits, and if no path is short enough', () => {
    const [sure, far] = [
      [
        [90, -90, 0],
        [-90, 90, 0],
      ],
      [
        [-90, 90, 0],
        [90, -90, 0],
      ],
    ]
    const loss = losses.ctc([[1], [2], [1]], [sure, far, sure])
    expectNear(loss.data.slice(0, 1), [0], 'sure')
    expect(loss.data.every(Number.isFinite)).toBe(true)
    const impossible = (x: ReturnType<typeof tensor>) => ops.sum(losses.ctc([[1, 1]], x))
    expect(impossible(tensor([sure])).item()).toBeGreaterThan(9e4)
    expect(grad(impossible)(tensor([sure])).data.every(Number.isFinite)).toBe(true)
  })

  it('skips masked steps', () => {
    const logits = randomLogits(5, 3, 3)
    const masked = losses.ctc([[1, 2]], [logits], [[true, true, true, false, false]])
    expectNear(masked.data, losses.ctc([[1, 2]], [logits.slice(0, 3)]).data, 'mask')
    const loss = new losses.CTC().apply(
      [
        [1, 2],
        [2, 0],
      ],
      [logits, logits],
      undefined,
      [
        [1, 1, 1, 0, 0],
        [1, 1, 1, 1, 1],
      ],
    )
    expectNear(loss.data, [(masked.item() + losses.ctc([[2]], [logits]).item()) / 2], 'mean')
  })

  it('refuses other ranks', () => {
    expect(() => losses.ctc([1, 2], [[[0, 0]]])).toThrow('ctc: yTrue must be labels [batch, most labels], received [2]')
    expect(() => losses.ctc([[1, 2]], [[0, 0]])).toThrow(
      'ctc: yPred must be logits [batch, steps, classes], received [1, 2]',
    )
  })
})

/** Rows in which label k is a spike in feature k, surrounded by silence. */
function spelled(words: Rows, steps: number): number[][][] {
  return words.map((word) =>
    Array.from({ length: steps }, (_, t) => {
      const label = t % 3 === 1 ? (word[Math.floor(t / 3)] ?? 0) : 0
      return [1, 2, 3].map((k) => Number(k === label))
    }),
  )
}
const words = [
  [1, 2, 3],
  [3, 1, 0],
  [2, 2, 1],
  [1, 0, 0],
]
const speller = (): Sequential => {
  setRandomSeed(3)
  const model = new Sequential([
    new Masking({ maskValue: -1, inputShape: [null, 3] }),
    new LSTM({ units: 8, returnSequences: true }),
    new Dense({ units: 4 }),
  ])
  model.compile({ loss: new losses.CTC(), optimizer: 'adam' })
  model.optimizer.learningRate = 0.05
  return model
}

describe('a model that trains with CTC', () => {
  it('predicts the words in the end', async () => {
    const model = speller()
    const x = spelled(words, 9)
    const { history } = await model.fit(x, words, { epochs: 120, verbose: 0 })
    expect(history['loss']!.at(-1)).toBeLessThan(0.2)
    const best: number[][] = ops.argmax(await model.predict(x), -1).toArray() as number[][]
    const said = best.map((path) => path.filter((k, t) => k !== path[t - 1]).filter((k) => k !== 0))
    expect(said).toEqual(words.map((word) => word.filter((k) => k !== 0)))
  })

  it('has one loop forward and one backward, whatever the number of steps', () => {
    const model = speller()
    for (const steps of [9, 30]) model.trainOnBatch(spelled(words, steps), words)
    if (runtimeInfo().backend === 'interpreter') return
    const lengths = [...disassemble(model).values()].map((text) => text.split('\n').length)
    expect(lengths[1]).toBe(lengths[0])
  })

  it('is loaded with its loss, which files store by name', async () => {
    const model = speller()
    const x = spelled(words, 9)
    const copy = await loadModel(await model.save())
    expect(await copy.evaluate(x, words)).toEqual(await model.evaluate(x, words))
    expect(() => model.compile({ loss: 'ctc' })).toThrow(
      "The loss 'ctc' must be passed as an object, such as new losses.CTC(…), not by name.",
    )
  })

  it('refuses invalid labels', () => {
    const model = speller()
    const x = spelled(words, 4)
    const train = (y: number[] | number[][]) => () => model.trainOnBatch(x, y)
    expect(train([1, 2, 3, 1])).toThrow('ctc: targets must have the shape [batch, most labels], received [4]')
    expect(train([[1], [2], [4], [1]])).toThrow(
      'ctc: targets must be class numbers 1 … 3, padded with 0, received 4 in row 2',
    )
    expect(
      train([
        [1, 0],
        [0, 2],
        [1, 1],
        [1, 0],
      ]),
    ).toThrow('ctc: 0 is the blank, which may only pad the end of a row, received [0, 2] in row 1. Use padSequences')
    expect(
      train([
        [1, 2, 3],
        [1, 2, 0],
        [1, 0, 0],
        [1, 1, 1],
      ]),
    ).toThrow('ctc: 3 labels, 2 of them repeated, need 5 steps or more, the model has 4; row 3')
    expect(
      train([
        [1, 2, 3],
        [1, 2, 0],
        [1, 0, 0],
        [1, 1, 2],
      ]),
    ).not.toThrow()
  })
})
