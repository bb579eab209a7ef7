// distill: Hinton's loss compared with numbers computed here, state that it does not change, and that the student
// learns.
import { beforeEach, describe, expect, it } from 'vitest'
import {
  Activation,
  BatchNormalization,
  Dense,
  Dropout,
  Embedding,
  GRU,
  Input,
  Model,
  Sequential,
  SGD,
  TimeDistributed,
  loadModel,
  losses,
  ops,
  random,
  setRandomSeed,
  tensor,
  disassemble,
  type Tensor,
} from '../../src'
import { Distiller, distill } from '../../src/entries/thrift'

beforeEach(() => setRandomSeed(11))

const softmax = (z: readonly number[]): number[] => {
  const e = z.map((each) => Math.exp(each - Math.max(...z)))
  return e.map((each) => each / e.reduce((a, b) => a + b))
}
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z))
const kl = (p: readonly number[], q: readonly number[]): number =>
  p.reduce((total, each, i) => total + each * Math.log(each / q[i]!), 0)
const meanOf = (list: readonly number[]): number => list.reduce((a, b) => a + b) / list.length

/** x [2] → logits x · W + b, followed by an activation. */
function linear(weights: number[][], bias: number[], activation: string | null): Sequential {
  const model = new Sequential([new Dense({ units: bias.length, activation, inputShape: [2] })])
  model.setWeights([weights, bias])
  return model
}

const X = [
  [1, 2],
  [-1, 0.5],
  [0.3, -2],
]
const logits = (weights: number[][], bias: number[]): number[][] =>
  X.map(([a, b]) => bias.map((c, i) => a! * weights[0]![i]! + b! * weights[1]![i]! + c))

describe('the loss', () => {
  const [tw, tb] = [
    [
      [1, -2, 0.5],
      [0.3, 0.7, -1],
    ],
    [0.1, 0, -0.2],
  ]
  const [sw, sb] = [
    [
      [0.2, 0.4, -0.3],
      [1, -0.5, 0.6],
    ],
    [0, 0.3, 0.1],
  ]
  const [t, s] = [logits(tw, tb), logits(sw, sb)]
  const T = 3
  const soft = T * T * meanOf(t.map((each, i) => kl(softmax(each.map((z) => z / T)), softmax(s[i]!.map((z) => z / T)))))
  const hard = -meanOf([0, 2, 1].map((label, i) => Math.log(softmax(s[i]!)[label]!)))

  it.each([
    ['softmax', 'softmax'],
    ['softmax', null],
    [null, 'softmax'],
    [null, null],
  ] as const)('T² · KL + alpha · loss; teacher ends in %s, student in %s', async (ofTeacher, ofStudent) => {
    const loss =
      ofStudent === null
        ? new losses.SparseCategoricalCrossentropy({ fromLogits: true })
        : 'sparseCategoricalCrossentropy'
    const lesson = distill(linear(tw, tb, ofTeacher), linear(sw, sb, ofStudent), { temperature: T, alpha: 0.25, loss })
    expect(lesson.testOnBatch(X, [0, 2, 1]).loss).toBeCloseTo(soft + 0.25 * hard, 5)
    expect(lesson.trainOnBatch(X, [0, 2, 1]).loss).toBeCloseTo(soft + 0.25 * hard, 5)
    expect(lesson.testOnBatch(X, [0, 2, 1]).loss).toBeLessThan(soft + 0.25 * hard)
  })

  it('applies sample weights', () => {
    const lesson = distill(linear(tw, tb, 'softmax'), linear(sw, sb, 'softmax'), { temperature: T, alpha: 0 })
    const each = t.map((one, i) => T * T * kl(softmax(one.map((z) => z / T)), softmax(s[i]!.map((z) => z / T))))
    expect(lesson.testOnBatch(X, [0, 1, 2], { sampleWeight: [1, 0, 2] }).loss).toBeCloseTo(
      (each[0]! + 2 * each[2]!) / 3,
      5,
    )
  })

  it('of independent outputs', () => {
    const binary = (p: number, q: number): number => kl([p, 1 - p], [q, 1 - q])
    const softened =
      T * T * meanOf(t.flatMap((each, i) => each.map((z, j) => binary(sigmoid(z / T), sigmoid(s[i]![j]! / T)))))
    const lesson = distill(linear(tw, tb, 'sigmoid'), linear(sw, sb, 'sigmoid'), { temperature: T, alpha: 0 })
    expect(lesson.testOnBatch(X, null).loss).toBeCloseTo(softened, 5)
    // A single logit is binary.
    const single = distill(linear([[1], [-2]], [0.5], null), linear([[0.5], [1]], [0], null), {
      temperature: T,
      alpha: 0,
    })
    const [one, two] = [logits([[1], [-2]], [0.5]), logits([[0.5], [1]], [0])]
    expect(single.testOnBatch(X, null).loss).toBeCloseTo(
      T * T * meanOf(one.map(([z], i) => binary(sigmoid(z! / T), sigmoid(two[i]![0]! / T)))),
      5,
    )
  })

  it('of a teacher that ends in neither softmax nor sigmoid', () => {
    // The mean of two networks.
    const input = Input({ shape: [2] })
    const [a, b] = [linear(tw, tb, 'softmax'), linear(sw, sb, 'softmax')]
    const committee = new Model({ inputs: input, outputs: ops.divide(ops.add(a.apply(input), b.apply(input)), 2) })
    const mean = t.map((each, i) => softmax(each).map((p, j) => (p + softmax(s[i]!)[j]!) / 2))
    const student = linear(tw, tb, 'softmax')
    const expected =
      T *
      T *
      meanOf(mean.map((p, i) => kl(softmax(p.map((each) => Math.log(each) / T)), softmax(t[i]!.map((z) => z / T)))))
    expect(
      distill(committee, student, { temperature: T, alpha: 0, fromLogits: false }).testOnBatch(X, null).loss,
    ).toBeCloseTo(expected, 5)
  })

  it('counts only unmasked steps', () => {
    const sequence = (units: number): Sequential =>
      new Sequential([
        new Embedding({ inputDim: 5, outputDim: 3, maskZero: true, inputShape: [4] }),
        new GRU({ units, returnSequences: true }),
        new TimeDistributed({ layer: new Dense({ units: 3 }) }),
        new Activation('softmax'),
      ])
    const [teacher, student] = [sequence(6), sequence(2)]
    const words = tensor(
      [
        [1, 2, 0, 0],
        [3, 1, 4, 0],
      ],
      undefined,
      'int32',
    )
    const [p, q] = [teacher, student].map((model) => [...(model.predictOnBatch(words) as Tensor).data])
    const row = (list: readonly number[] | undefined, i: number): number[] => list!.slice(3 * i, 3 * i + 3)
    // At temperature 1 probabilities are unchanged.
    const expected = meanOf([0, 1, 4, 5, 6].map((i) => kl(row(p, i), row(q, i))))
    expect(distill(teacher, student, { temperature: 1, alpha: 0 }).testOnBatch(words, null).loss).toBeCloseTo(
      expected,
      5,
    )
  })
})

describe('distill', () => {
  const x = random.normal([64, 2], { seed: 4 })
  const labels = Int32Array.from({ length: 64 }, (_, i) => Number(x.data[2 * i]! * x.data[2 * i + 1]! > 0))
  const network = (units: number): Sequential =>
    new Sequential([
      new Dense({ units, activation: 'relu', inputShape: [2] }),
      new BatchNormalization(),
      new Dropout(0.2),
      new Dense({ units: 2, activation: 'softmax' }),
    ])

  it('trains the student to reproduce the teacher without targets; the teacher is unchanged', async () => {
    const [teacher, student] = [network(24), network(8)]
    teacher.compile({ optimizer: 'adam', loss: 'crossentropy', metrics: ['accuracy'] })
    await teacher.fit(x, labels, { epochs: 40, verbose: 0 })
    const before = teacher.getWeights().map(({ data }) => [...data])
    const lesson = distill(teacher, student, { alpha: 0, optimizer: new SGD({ learningRate: 0.05, momentum: 0.9 }) })
    expect(lesson).toBeInstanceOf(Distiller)
    expect([lesson.student, lesson.teacher]).toEqual([student, teacher])
    const first = (await lesson.evaluate(x)).loss
    const { history } = await lesson.fit(x, null, { epochs: 60, verbose: 0 })
    expect(history['loss']!.at(-1)).toBeLessThan(history['loss']![0]!)
    expect((await lesson.evaluate(x)).loss).toBeLessThan(0.3 * first)
    expect(teacher.getWeights().map(({ data }) => [...data])).toEqual(before)
    expect(lesson.trainableWeights).toEqual(student.trainableWeights)
    const answers = (model: Model): number[] => [...ops.argmax(model.predictOnBatch(x) as Tensor, 1).data]
    const [own, theirs] = [answers(student), answers(teacher)]
    expect(own.filter((answer, i) => answer === theirs[i]).length).toBeGreaterThan(56)
  })

  it('runs one program per step, with the ordinary fit', async () => {
    const [teacher, student] = [network(12), network(4)]
    const lesson = distill(teacher, student, { metrics: ['accuracy'] })
    const { history } = await lesson.fit(x, labels, { epochs: 2, batchSize: 32, validationSplit: 0.5, verbose: 0 })
    expect(Object.keys(history)).toEqual(['loss', 'accuracy', 'valLoss', 'valAccuracy'])
    const programs = [...disassemble(lesson)].filter(([key]) => key.startsWith('train'))
    expect(programs).toHaveLength(1)
  })

  it('leaves a student that is an ordinary model', async () => {
    const [teacher, student] = [network(12), network(4)]
    student.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
    await student.fit(x, labels, { verbose: 0 })
    await distill(teacher, student).fit(x, labels, { verbose: 0 })
    const answers = [...(student.predictOnBatch(x) as Tensor).data]
    const loaded = await loadModel(await student.save())
    expect([...(loaded.predictOnBatch(x) as Tensor).data]).toEqual(answers)
    await student.fit(x, labels, { verbose: 0 })
    expect(Object.keys(await student.evaluate(x, labels))).toEqual(['loss', 'accuracy'])
    expect(student.layers).toHaveLength(4)
  })

  it('refuses unsuitable models', async () => {
    const [teacher, student] = [network(12), network(4)]
    expect(() => distill({} as Model, student)).toThrow(/the teacher must be a model/)
    expect(() => distill(teacher, {} as Model)).toThrow(/needs a model/)
    expect(() => distill(new Sequential([new Dense(2)]), student)).toThrow(/must be built/)
    expect(() => distill(teacher, new Sequential([new Dense(2)]))).toThrow(/must be built/)
    expect(() => distill(teacher, teacher)).toThrow(/share the weight/)
    expect(() => distill(teacher, student, { temperature: 0 })).toThrow(/temperature must be .* > 0/)
    // @ts-expect-error: misspelt
    expect(() => distill(teacher, student, { temprature: 1 })).toThrow(/Did you mean 'temperature'/)
    const input = Input({ shape: [2] })
    const two = new Model({ inputs: input, outputs: [new Dense(2).apply(input), new Dense(2).apply(input)] })
    expect(() => distill(two as never, two as never)).toThrow(/must have one output, received 2/)
    const step =
      (model: Model, options = {}) =>
      () =>
        distill(teacher, model, options).trainOnBatch(X, [0, 1, 0])
    // At once, and not only with data.
    expect(() =>
      distill(teacher, new Sequential([new Dense({ units: 3, activation: 'softmax', inputShape: [2] })])),
    ).toThrow(/must return the same shape, received \[.*, 2\] of Sequential .* and \[.*, 3\] of Sequential/)
    expect(() =>
      distill(teacher, new Sequential([new Dense({ units: 2, activation: 'softmax', inputShape: [5] })])),
    ).toThrow(/must take the same shape, received \[.*, 2\] of Sequential .* and \[.*, 5\] of Sequential/)
    expect(() => distill(two as never, student as never)).toThrow(
      /must return the same number of tensors, received 2 of Model .* and 1 of Sequential/,
    )
    expect(
      step(new Sequential([new Dense({ units: 2, activation: 'sigmoid', inputShape: [2] })]), { alpha: 0 }),
    ).toThrow(/ends in softmax and .* in sigmoid/)
    expect(step(new Sequential([new Dense({ units: 2, inputShape: [2] })]))).toThrow(
      /outputs logits, so the option loss is required/,
    )
    await expect(distill(teacher, student).fit(x, null, { verbose: 0 })).rejects.toThrow(/no targets/)
  })
})
