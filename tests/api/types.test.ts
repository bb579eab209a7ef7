// The promises of the types: what tsc must accept, refuse and infer. Nothing here trains; the functions that are never
// called are for tsc, which `npm test` runs first.
import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  Adam,
  Callback,
  CategoryEncoding,
  Conv2D,
  Dense,
  Dropout,
  History,
  Input,
  Layer,
  Model,
  ModelCheckpoint,
  RandomFlip,
  Sequential,
  TensorSpec,
  cloneModel,
  grad,
  initializers,
  jit,
  loadModel,
  losses,
  metrics,
  modelFromJSON,
  ops,
  random,
  tensor,
  Variable,
  valueAndGrad,
  vjp,
  type Batch,
  type CallbackMethods,
  type Callbacks,
  type CompileOptions,
  type DenseOptions,
  type FitOptions,
  type InputsOf,
  type Logs,
  type Tensor,
  type TensorLike,
} from '../../src'
import { gridSearch, randomSearch } from '../../src/entries/search'

/** For tsc only. */
function unrun(..._checks: (() => unknown)[]): void {}

const image = Input({ shape: [6], name: 'image' })
const tags = Input({ shape: [3], name: 'tags' })
const joined = ops.concatenate([image, tags], 1)
const dense = (units: number): Tensor => new Dense({ units }).apply(joined)

const one = new Model({ inputs: image, outputs: new Dense({ units: 2 }).apply(image) })
const record = new Model({ inputs: { image, tags }, outputs: { price: dense(1), kind: dense(3) } })
const list = new Model({ inputs: [image, tags], outputs: [dense(1), dense(3)] })
const nested = new Model({ inputs: { image, tags }, outputs: { price: dense(1), parts: [dense(2), dense(3)] } })
const chain = new Sequential([new Dense({ units: 1, inputShape: [6] })])
const rows = tensor([[1, 2, 3, 4, 5, 6]])
const marks = tensor([[1, 2, 3]])

describe('models', () => {
  it('return the types of their outputs: a Tensor, a record, a tuple', () => {
    expectTypeOf(one.predictOnBatch(rows)).toEqualTypeOf<Tensor>()
    expectTypeOf(chain.predictOnBatch(rows)).toEqualTypeOf<Tensor>()
    const { price, kind } = record.predictOnBatch({ image: rows, tags: marks })
    expectTypeOf(price).toEqualTypeOf<Tensor>()
    const [first, second] = list.predictOnBatch([rows, marks])
    expectTypeOf(second).toEqualTypeOf<Tensor>()
    const deep = nested.predictOnBatch({ image: rows, tags: marks })
    expectTypeOf(deep.parts[1]).toEqualTypeOf<Tensor>()
    expect([kind.shape, first.shape, second.shape, deep.parts[1].shape]).toEqual([
      [1, 3],
      [1, 1],
      [1, 3],
      [1, 3],
    ])
    expectTypeOf(list.predict).returns.resolves.toEqualTypeOf<readonly [Tensor, Tensor]>()
    expectTypeOf(record.predict).returns.resolves.toEqualTypeOf<{ readonly price: Tensor; readonly kind: Tensor }>()
    unrun(
      // @ts-expect-error: no such output
      () => record.predictOnBatch({ image: rows, tags: marks }).size,
      // @ts-expect-error: there are two outputs
      () => list.predictOnBatch([rows, marks])[2],
    )
  })

  it('fit refuses inputs that are missing or have other names, and unknown options', () => {
    unrun(
      () => record.fit({ image: [[1]], tags: rows }, { price: [1], kind: [[1, 0, 0]] }, { epochs: 2 }),
      () => record.fit({ image: rows, tags: rows }, { kind: [2] }),
      () => list.fit([rows, rows], [[1], null]),
      // @ts-expect-error: tags is missing
      () => record.fit({ image: rows }, { price: [1] }),
      // @ts-expect-error: imgae
      () => record.fit({ imgae: rows, tags: rows }, { price: [1] }),
      // @ts-expect-error: no output `cost`
      () => record.fit({ image: rows, tags: rows }, { cost: [1] }),
      // @ts-expect-error: a text is no data
      () => one.fit('rows', [1]),
      // @ts-expect-error: one input is missing
      () => list.fit([rows], [[1], null]),
      // @ts-expect-error: there is one input, and it is no record of texts
      () => one.fit({ image: 'rows' }, [1]),
      // @ts-expect-error: epoch
      () => one.fit(rows, [1], { epoch: 2 }),
      // @ts-expect-error: batchSize is a number
      () => one.fit(rows, [1], { batchSize: '32' }),
      () =>
        record.fit(
          { image: rows, tags: rows },
          { kind: [1] },
          // @ts-expect-error: validation data need the inputs' names
          { validationData: [{ image: rows, tag: rows }, { kind: [1] }] },
        ),
      // @ts-expect-error: verbose of evaluate is 'auto', 0, 1 or 2
      () => one.evaluate(rows, [1], { verbose: 3 }),
      // @ts-expect-error: batch_size
      () => one.predict(rows, { batch_size: 3 }),
    )
    expectTypeOf<FitOptions['verbose']>().toEqualTypeOf<'auto' | 0 | 1 | 2 | undefined>()
  })

  it('logs and history are numbers by name', () => {
    expectTypeOf(one.fit).returns.resolves.toEqualTypeOf<History>()
    expectTypeOf(one.evaluate).returns.resolves.toEqualTypeOf<Logs>()
    expectTypeOf(one.trainOnBatch).returns.toEqualTypeOf<Logs>()
    expectTypeOf<Logs['loss']>().toEqualTypeOf<number>()
    expectTypeOf(new History().history).toEqualTypeOf<Record<string, number[]>>()
    expectTypeOf(new History().epoch).toEqualTypeOf<number[]>()
  })

  it('compile takes names, instances and functions, for all outputs or by name', () => {
    const accepted: CompileOptions[] = [
      { loss: 'mse' },
      { optimizer: 'adam', loss: 'meanSquaredError', metrics: ['accuracy'] },
      { optimizer: new Adam({ learningRate: 0.1 }), loss: (yTrue, yPred) => ops.subtract(yTrue, yPred) },
      { loss: { price: 'huber', kind: null }, lossWeights: { price: 0.5 }, metrics: { kind: ['accuracy'] } },
      { loss: ['mse', null], metrics: [['mae'], null] },
    ]
    expect(accepted).toHaveLength(5)
    unrun(
      // @ts-expect-error: optimiser
      () => one.compile({ optimiser: 'adam', loss: 'mse' }),
      // @ts-expect-error: metrics are a list
      () => one.compile({ loss: 'mse', metrics: 'accuracy' }),
      // @ts-expect-error: a weight is a number
      () => one.compile({ loss: 'mse', lossWeights: 'all' }),
      // @ts-expect-error: learningrate
      () => new Adam({ learningrate: 0.1 }),
    )
  })

  it('any model is accepted if its inputs do not matter', () => {
    const models: Model<unknown, unknown>[] = [one, record, list, nested, chain]
    expect(models.map((model) => model.countParams() > 0)).not.toContain(false)
  })

  it('a parameter of type Model takes every model', () => {
    const count = (model: Model): number => model.countParams()
    class Doubled extends Model {
      override call(x: Tensor): Tensor {
        return ops.multiply(x, 2)
      }
    }
    const own = new Doubled()
    expect([one, record, list, nested, chain, own].map((model) => count(model) >= 0)).not.toContain(false)
    expectTypeOf(own.predict).returns.resolves.toEqualTypeOf<Tensor>()
  })

  it('a differentiated function without types takes a list of variables', () => {
    const weight = new Variable(tensor([1, 2]))
    const [value, gradients] = valueAndGrad(() => ops.sum(weight))([weight])
    expectTypeOf(value).toEqualTypeOf<Tensor>()
    expectTypeOf(gradients).toEqualTypeOf<Tensor[]>()
    expectTypeOf(grad((_) => ops.sum(weight))([weight])).toEqualTypeOf<Tensor[]>()
    expectTypeOf(grad((x) => ops.sum(x))([1])).toEqualTypeOf<Tensor>()
    expect(gradients[0]!.toArray()).toEqual([1, 1])
  })

  it('toArray fits every rank', () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ])
    const rows: number[][] = x.toArray()
    expect(rows.map((row) => row[0]! + 1)).toEqual([2, 4])
    expect(x.toArray()[1]![0]! + 1).toBe(4)
    expectTypeOf(tensor([true]).toArray<boolean[]>()).toEqualTypeOf<boolean[]>()
  })

  it('loaders take the types as parameters; clones keep them', () => {
    type In = { image: Tensor; tags: Tensor }
    unrun(async () => {
      expectTypeOf(await loadModel('model.safetensors')).toEqualTypeOf<Model<Tensor, Tensor>>()
      const loaded = await loadModel<In, [Tensor, Tensor]>('model.safetensors')
      expectTypeOf(loaded.predict).returns.resolves.toEqualTypeOf<[Tensor, Tensor]>()
      // @ts-expect-error: tags is missing
      await loaded.predict({ image: [[1]] })
      const made = modelFromJSON<Tensor, { a: Tensor }>('{}')
      expectTypeOf((await made.predict([[1]])).a).toEqualTypeOf<Tensor>()
    })
    expectTypeOf(cloneModel(record)).toEqualTypeOf(record)
    expectTypeOf(cloneModel(chain)).toEqualTypeOf<Sequential>()
  })
})

describe('callbacks', () => {
  it('know the types of their events', () => {
    class Own extends Callback {
      override onEpochEnd(epoch: number, logs: Logs): void {
        void [epoch, logs]
      }
      override async onTrainBegin(): Promise<void> {}
      // @ts-expect-error: onEpochEnded is no event
      override onEpochEnded(): void {}
    }
    expectTypeOf(new Own().onTestEnd).toEqualTypeOf<NonNullable<CallbackMethods['onTestEnd']>>()
    expectTypeOf<FitOptions['callbacks']>().toEqualTypeOf<Callbacks | undefined>()
    expect(new Own().onTestEnd({ loss: 1 })).toBeUndefined()
  })
})

describe('layers', () => {
  it('require options, and keep their values', () => {
    const layer = new Dense({ units: 3, activation: 'relu', useBias: false, inputShape: [2] })
    expectTypeOf(new Sequential([layer])).toEqualTypeOf<Sequential>()
    expectTypeOf(layer.units).toEqualTypeOf<number>()
    expectTypeOf(layer.useBias).toEqualTypeOf<boolean>()
    expectTypeOf(layer.kernel).toEqualTypeOf<Variable>()
    expectTypeOf(layer.bias).toEqualTypeOf<Variable | null>()
    expectTypeOf(layer.name).toEqualTypeOf<string>()
    expectTypeOf(new Dense(4).units).toEqualTypeOf<number>()
    expectTypeOf(new Dropout(0.5).rate).toEqualTypeOf<number>()
    expectTypeOf(new Dense(4, { activation: 'relu', inputShape: [2] }).units).toEqualTypeOf<number>()
    expectTypeOf(new ModelCheckpoint('x', { saveBestOnly: true }).filepath).toEqualTypeOf<string>()
    expectTypeOf<DenseOptions['units']>().toEqualTypeOf<number>()
    expectTypeOf<DenseOptions['useBias']>().toEqualTypeOf<boolean | undefined>()
    expectTypeOf<DenseOptions['name']>().toEqualTypeOf<string | null | undefined>()
    unrun(
      // @ts-expect-error: units is missing
      () => new Dense({}),
      // @ts-expect-error: the options are missing
      () => new Dense(),
      // @ts-expect-error: usebias
      () => new Dense({ units: 3, usebias: false }),
      // @ts-expect-error: units is a number
      () => new Dense({ units: '3' }),
      // @ts-expect-error: units is given twice
      () => new Dense(3, { units: 3 }),
      // @ts-expect-error: usebias
      () => new Dense(3, { usebias: false }),
      () => new Dense(3, 'relu'),
      () => new Dense(3, 'relu', true, { kernelInitializer: 'zeros' }),
      // @ts-expect-error: useBias is a boolean
      () => new Dense(3, 'relu', 'yes'),
      // @ts-expect-error: activation is given twice
      () => new Dense(3, 'relu', { activation: 'relu' }),
      () => new Conv2D(8, { kernelSize: 3 }),
      () => new Conv2D(8, 3, { padding: 'same' }),
      // @ts-expect-error: kernelSize is missing
      () => new Conv2D(8),
      // @ts-expect-error: kernelSize is missing
      () => new Conv2D(8, { padding: 'same' }),
      () => new Adam(0.1, 0.9, { weightDecay: 0.1 }),
      // @ts-expect-error: beta1 is given twice
      () => new Adam(0.1, 0.9, { beta1: 0.1 }),
      () => new losses.Huber(2, 'sum'),
      () => new metrics.BinaryAccuracy('right', null, 0.4),
      // @ts-expect-error: options are one record
      () => new Dense({ units: 3 }, { useBias: false }),
      // @ts-expect-error: units stays what it is
      () => (layer.units = 4),
      // @ts-expect-error: a layer of one tensor takes no record
      () => layer.apply({ a: [1] }),
    )
  })

  it('take known names, custom names, functions, objects and saved objects', () => {
    unrun(
      () => new Dense({ units: 1, kernelInitializer: 'glorotUniform', activation: 'relu', kernelRegularizer: 'l2' }),
      () => new Dense({ units: 1, kernelInitializer: 'mine', activation: 'mine', kernelConstraint: 'mine' }),
      () => new Dense({ units: 1, kernelInitializer: (shape) => ops.zeros(shape), activation: (x) => ops.relu(x) }),
      () => new Dense({ units: 1, kernelInitializer: new initializers.Zeros() }),
      () => new Dense({ units: 1, kernelInitializer: { className: 'Zeros', config: {} } }),
      // @ts-expect-error: a number is no initializer
      () => new Dense({ units: 1, kernelInitializer: 0 }),
      // @ts-expect-error: a class is no initializer
      () => new Dense({ units: 1, kernelInitializer: initializers.Zeros }),
      // @ts-expect-error: an initializer is not a regularizer
      () => new Dense({ units: 1, kernelRegularizer: new initializers.Zeros() }),
      // @ts-expect-error: a loss is no metric
      () => chain.compile({ loss: 'mse', metrics: [new losses.Huber()] }),
    )
    const found: losses.LossName[] = ['huber', 'klDivergence', 'mse', 'ce']
    // @ts-expect-error: CTC is given as an object
    found.push('ctc')
    expectTypeOf<'auc' | 'fbetaScore' | 'rmse' | 'acc'>().toExtend<metrics.MetricName>()
  })

  it('take and give trees', () => {
    interface Pair {
      a: Tensor
      b: Tensor
    }
    class Swap extends Layer<Pair, readonly [Tensor, Tensor]> {
      call({ a, b }: Pair): readonly [Tensor, Tensor] {
        return [b, a]
      }
    }
    const [b, a] = new Swap().apply({ a: [[1]], b: [[2]] })
    expectTypeOf(a).toEqualTypeOf<Tensor>()
    expect([b.item(), a.item()]).toEqual([2, 1])
    expectTypeOf<InputsOf<Pair>>().toEqualTypeOf<{ readonly a: TensorLike; readonly b: TensorLike }>()
    expectTypeOf(new Swap().computeOutputShape).returns.toEqualTypeOf<
      readonly [readonly (number | null)[], readonly (number | null)[]]
    >()
    const [specB] = new Swap().computeOutputSpec({
      a: new TensorSpec([null, 1]),
      b: new TensorSpec([null, 2], 'int32'),
    })
    expectTypeOf(specB).toEqualTypeOf<TensorSpec>()
    expect(specB).toEqual(new TensorSpec([null, 2], 'int32'))
    unrun(
      // @ts-expect-error: b is missing
      () => new Swap().apply({ a: [1] }),
      // @ts-expect-error: the input is a record
      () => new Swap().apply([1]),
    )
  })

  it('subclassed models: batches and steps have the types of their inputs', () => {
    type In = { x: Tensor; noise: Tensor }
    class Own extends Model<In, readonly [Tensor, Tensor]> {
      head = new Dense(1)
      override call({ x, noise }: In): readonly [Tensor, Tensor] {
        return [this.head.apply(x), noise]
      }
      override trainStep(batch: Batch<In, readonly [Tensor, Tensor]>) {
        expectTypeOf(batch.x.noise).toEqualTypeOf<Tensor>()
        const { outputs, loss } = this.forward(batch)
        expectTypeOf(outputs).toEqualTypeOf<readonly [Tensor, Tensor]>()
        expectTypeOf(this.gradients(loss)).toEqualTypeOf<Tensor[]>()
        return { loss }
      }
    }
    const [y, noise] = new Own().predictOnBatch({ x: [[1, 2]], noise: [[3]] })
    expectTypeOf(noise).toEqualTypeOf<Tensor>()
    expect([y.shape, noise.item()]).toEqual([[1, 1], 3])
    unrun(
      // @ts-expect-error: noise is missing
      () => new Own().fit({ x: rows }),
      () =>
        class extends Model<In, Tensor> {
          // @ts-expect-error: call must return Out
          override call({ x }: In): In {
            return { x, noise: x }
          }
        },
    )
  })
})

describe('transformations', () => {
  interface Params {
    w: Tensor
    layers: [Tensor, Tensor]
  }
  const loss = ({ w, layers }: Params, x: Tensor): Tensor =>
    ops.sum(ops.multiply(ops.multiply(w, layers[0]), ops.add(layers[1], x)))
  const params = { w: [1, 2], layers: [tensor(3), tensor(4)] } as const

  it('grad: the type of the argument, or a tuple', () => {
    expectTypeOf(grad(loss)(params, [1])).toEqualTypeOf<{ w: Tensor; layers: [Tensor, Tensor] }>()
    expectTypeOf(grad(loss, { argnums: 1 })(params, [1])).toEqualTypeOf<Tensor>()
    expectTypeOf(grad(loss, { argnums: [1, 0] })(params, [1])).toEqualTypeOf<
      [Tensor, { w: Tensor; layers: [Tensor, Tensor] }]
    >()
    expectTypeOf(grad((x) => ops.sum(x))([1])).toEqualTypeOf<Tensor>()
    expectTypeOf(grad((x) => [ops.sum(x), { x }], { hasAux: true })([1])).toEqualTypeOf<
      [gradients: Tensor, aux: { x: Tensor }]
    >()
    expectTypeOf(valueAndGrad(loss)).returns.toEqualTypeOf<
      [value: Tensor, gradients: { w: Tensor; layers: [Tensor, Tensor] }]
    >()
    const withAux = valueAndGrad((w: Tensor, x: Tensor) => [ops.sum(ops.multiply(w, x)), { x }], {
      hasAux: true,
      argnums: [0, 1],
    })
    const [[value, aux], [dw, dx]] = withAux(1, 2)
    expectTypeOf([value, aux.x, dw, dx]).toEqualTypeOf<Tensor[]>()
    expect([value.item(), aux.x.item(), dw.item(), dx.item()]).toEqual([2, 2, 2, 1])
    unrun(
      // @ts-expect-error: layers is missing
      () => grad(loss)({ w: [1] }, [1]),
      // @ts-expect-error: an argument is missing
      () => grad(loss)(params),
      // @ts-expect-error: a number is no tensor
      () => grad((x: Tensor, _n: number) => x)(1, 2),
      // @ts-expect-error: the result must be a Tensor
      () => grad((x: Tensor) => ({ x })),
    )
  })

  it('jit: the arguments take data, the result keeps its type', () => {
    const f = jit(({ w }: Params, [a, b]: readonly [Tensor, Tensor]) => ({
      sum: ops.add(a, b),
      parts: [w, a] as const,
    }))
    expectTypeOf(f).returns.toEqualTypeOf<{ sum: Tensor; parts: readonly [Tensor, Tensor] }>()
    expect(f(params, [tensor(1), tensor(2)]).sum.item()).toBe(3)
    expectTypeOf(jit(grad(loss))(params, [1])).toEqualTypeOf<{ w: Tensor; layers: [Tensor, Tensor] }>()
    expectTypeOf(grad(jit(loss))(params, [1])).toExtend<{
      readonly w: Tensor
      readonly layers: readonly [Tensor, Tensor]
    }>()
    unrun(
      // @ts-expect-error: w is missing
      () => f({ layers: params.layers }, params.layers),
      // @ts-expect-error: the second is a pair
      () => f(params, [tensor(1)]),
      // @ts-expect-error: a list of numbers is one tensor
      () => f(params, [1, 2]),
    )
  })

  it('vjp: results, and one gradient for each argument', () => {
    const f = (x: Tensor, { w }: { w: Tensor }): { y: Tensor } => ({ y: ops.multiply(x, w) })
    const [{ y }, pullback] = vjp(f, [1, 2], { w: 3 })
    expectTypeOf(y).toEqualTypeOf<Tensor>()
    expectTypeOf(pullback).returns.toEqualTypeOf<[x: Tensor, { w: Tensor }]>()
    expect(pullback({ y: [1, 1] })[1].w.item()).toBe(3)
    unrun(
      // @ts-expect-error: the cotangent is a record
      () => pullback([1, 1]),
      // @ts-expect-error: w is missing
      () => vjp(f, [1], {}),
    )
  })
})

describe('option strings', () => {
  it('are known in both spellings, and no others', () => {
    unrun(
      () => new initializers.VarianceScaling({ mode: 'fanIn', distribution: 'truncated_normal' }),
      () => new initializers.VarianceScaling({ mode: 'fan_in', distribution: 'untruncatedNormal' }),
      () => new losses.MeanSquaredError({ reduction: 'sum_over_batch_size' }),
      () => new metrics.AUC({ curve: 'roc' }),
      () => new metrics.AUC({ curve: 'ROC' }),
      () => new RandomFlip('horizontal_and_vertical'),
      () => new CategoryEncoding({ numTokens: 3, outputMode: 'multi_hot' }),
      // @ts-expect-error: fanIn
      () => new initializers.VarianceScaling({ mode: 'fan' }),
      // @ts-expect-error: ROC
      () => new metrics.AUC({ curve: 'R_O_C' }),
      // @ts-expect-error: valid, same
      () => new Conv2D({ filters: 1, kernelSize: 3, padding: 'smae' }),
    )
  })
})

describe('searches', () => {
  it('a choice has the types of the space, the best model that of make', () => {
    unrun(
      async () => {
        const { best } = await gridSearch(
          (choice) => {
            expectTypeOf(choice).toEqualTypeOf<{ readonly units: 8 | 16; readonly kind: 'a' | 'b' }>()
            return record
          },
          { units: [8, 16], kind: ['a', 'b'] },
          {
            x: { image: rows, tags: rows },
            y: { price: [1] },
            folds: 2,
            callbacks: ({ units }) => (units === 8 ? [] : [new History()]),
          },
        )
        expectTypeOf(best.model).toEqualTypeOf(record)
        expectTypeOf(best.choice.units).toEqualTypeOf<8 | 16>()
      },
      () =>
        randomSearch(
          (choice) => {
            expectTypeOf(choice).toEqualTypeOf<{ readonly rate: number; readonly list: 1 | 2; readonly own: boolean }>()
            return one
          },
          { rate: { min: 0, max: 1, scale: 'log' }, list: [1, 2], own: (random: number) => random > 0.5 },
          { x: rows, y: [1], trials: 3, callbacks: ({ own }, { fold }) => (own && fold === 1 ? [] : [new History()]) },
        ),
      // @ts-expect-error: a grid has lists
      () => gridSearch(() => one, { rate: { min: 0, max: 1 } }, { x: rows, y: [1] }),
      // @ts-expect-error: a grid has no trials
      () => gridSearch(() => one, { rate: [1] }, { x: rows, y: [1], trials: 3 }),
      // @ts-expect-error: the space has no 9
      () => gridSearch(({ units }) => (units === 9 ? one : one), { units: [8, 16] }, { x: rows, y: [1] }),
    )
  })
})

it('ops take required arguments by name', () => {
  const x = ops.ones([2, 3])
  unrun(
    () => ops.oneHot(x, { numClasses: 3, axis: 0 }),
    () => ops.clip(x, 0, { xMax: 1 }),
    () => ops.clip({ x, xMin: 0, xMax: 1 }),
    () => ops.take(x, { indices: [1], axis: 1 }),
    () => ops.segmentSum(x, { segmentIds: [0], numSegments: 3, sorted: true }),
    () => ops.image.resize(x, { size: [8, 8], interpolation: 'nearest' }),
    () => ops.rearrange(x, { pattern: 'a b -> b a', a: 2 }),
    () => random.normal({ shape: [2], seed: 3 }),
    () => random.randint({ shape: [2], minval: 1, maxval: 3 }),
    () => ops.cond(true, { trueFn: () => x, falseFn: () => x }),
    // @ts-expect-error
    () => ops.topK(x, { k: '1' }),
    // @ts-expect-error
    () => ops.topK(x, { kk: 1 }),
    // @ts-expect-error
    () => ops.clip(x, { xMin: 0 }),
    // @ts-expect-error
    () => ops.clip(x, 0),
  )
  expectTypeOf(ops.topK(x, { k: 1 })).toEqualTypeOf<[values: Tensor, indices: Tensor]>()
  expectTypeOf(ops.split({ x, indicesOrSections: 3, axis: 1 })).toEqualTypeOf<Tensor[]>()
  expectTypeOf(ops.map({ f: ({ a }: { a: Tensor }) => a, xs: { a: x } })).toEqualTypeOf<Tensor>()
  const [total, rows] = ops.scan((sum, row) => [ops.add(sum, ops.sum(row)), row], { init: 0, xs: x, reverse: true })
  expectTypeOf([total, rows]).toEqualTypeOf<Tensor[]>()
})
