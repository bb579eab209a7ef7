// Members of models and layers that Keras's objects have: build, several inputs, stateless forms, state trees, settings,
// export, quantize and LoRA. tests/api/members.test.ts compares the names.
// modes: simd

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, expectTypeOf, it, vi } from 'vitest'
import {
  Adam,
  Add,
  Attention,
  BatchNormalization,
  Concatenate,
  Bidirectional,
  Callback,
  Dense,
  cloneModel,
  Dropout,
  Embedding,
  Flatten,
  Input,
  LSTM,
  Layer,
  Metric,
  Model,
  MultiHeadAttention,
  SeedGenerator,
  Sequential,
  Tensor,
  Subtract,
  Variable,
  initializers,
  jit,
  loadModel,
  losses,
  metrics,
  ops,
  random,
  regularizers,
  tensor,
  valueAndGrad,
  type ApplyOptions,
  type CallContext,
  type InputsOf,
  type Logs,
  type SeparateInputs,
} from '../../src'
import '../../src/entries/node'
import { MyelinError } from '../../src/core/errors'
import { freshLibrary } from '../helpers/fresh-library'
import { writeKeras } from '../../src/entries/keras'
import { quantizedLayers } from '../../src/entries/thrift'
import { listensTo } from '../../src/training/callbacks/callback'

/** The message of the error that a function throws. */
function errorOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof MyelinError) return error.message
    throw error
  }
  return 'no error'
}

const x = random.normal([8, 4], { seed: 1 })
const y = random.normal([8, 2], { seed: 2 })

function compiled(): Sequential {
  const model = new Sequential(
    [
      new Dense({ units: 16, activation: 'relu', inputShape: [4], name: 'hidden' }),
      new BatchNormalization({ name: 'norm' }),
      new Dropout({ rate: 0.25, seed: 3, name: 'drop' }),
      new Dense({ units: 2, name: 'out' }),
    ],
    { name: 'net' },
  )
  model.compile({ optimizer: new Adam({ learningRate: 0.01 }), loss: 'mse', metrics: ['mae'] })
  return model
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('build', () => {
  it('builds a Sequential, also with a batch size and by name', () => {
    for (const shape of [[null, 4], [32, 4], { inputShape: [null, 4] }]) {
      const model = new Sequential([new Dense(3), new Dense(2)])
      Reflect.apply(model.build, model, [shape])
      expect(model.outputShape).toEqual([null, 2])
      expect(model.predictOnBatch(ops.ones([5, 4])).shape).toEqual([5, 2])
    }
    const tokens = new Sequential([new Embedding({ inputDim: 5, outputDim: 2 }), new Flatten(), new Dense(3)])
    tokens.build([null, 4])
    expect(tokens.weights.map(({ shape }) => shape)).toEqual([[5, 2], [8, 3], [3]])
  })

  it('builds subclassed models, layers in layers, and lists and records of inputs', () => {
    class Two extends Model<Tensor, Tensor> {
      first = new Dense({ units: 3 })
      second = new Dense({ units: 1 })
      override call(input: Tensor): Tensor {
        return this.second.apply(this.first.apply(input))
      }
    }
    const two = new Two()
    two.build([null, 4])
    expect(two.weights).toHaveLength(4)
    class Outer extends Layer {
      inner = new Dense(3)
      override build(inputShape: readonly (number | null)[]): void {
        this.inner.build(inputShape)
      }
      call(input: Tensor): Tensor {
        return this.inner.apply(input)
      }
    }
    const outer = new Outer({ name: 'outer' })
    outer.apply(x)
    expect(outer.weights.map(({ name }) => name)).toEqual([
      `outer/${outer.inner.name}/kernel`,
      `outer/${outer.inner.name}/bias`,
    ])
    expect(outer.inner.path).toBe(`outer/${outer.inner.name}`)
    class Joined extends Model<readonly Tensor[] | { a: Tensor; b: Tensor }, Tensor> {
      dense = new Dense(2)
      override call(input: readonly Tensor[] | { a: Tensor; b: Tensor }): Tensor {
        return this.dense.apply(ops.concatenate(Object.values(input), -1))
      }
    }
    for (const shapes of [
      [
        [null, 4],
        [null, 3],
      ],
      { a: [null, 4], b: [null, 3] },
    ]) {
      const joined = new Joined()
      Reflect.apply(joined.build, joined, [shapes])
      expect(joined.dense.kernel.shape).toEqual([7, 2])
    }
  })

  it('is done once, and checks later shapes', () => {
    const dense = new Dense(3)
    dense.build([null, 4])
    dense.build([null, 4])
    expect(dense.weights).toHaveLength(2)
    expect(errorOf(() => dense.build([null, 5]))).toMatch(/last/)
    expect(dense.getBuildConfig()).toEqual({ inputShape: [null, 4] })
    const copy = Dense.fromConfig(dense.getConfig())
    copy.buildFromConfig(dense.getBuildConfig())
    expect(copy.kernel.shape).toEqual([4, 3])
    expect(dense.inputSpec).toEqual({ minNdim: 2, axes: { [-1]: 4 } })
  })

  it.each([[[]], [4], [['a']], [[null, 0]], [[null, -3]], [{}]])('refuses %j', (shape) => {
    const model = new Sequential([new Dense(3)])
    expect(errorOf(() => Reflect.apply(model.build, model, [shape]))).toMatch(/build needs a shape|Sequential|Dense/)
  })
})

describe('several inputs', () => {
  it('are a list or separate arguments', () => {
    const sequence = random.normal([2, 3, 4], { seed: 3 })
    const other = random.normal([2, 5, 4], { seed: 4 })
    const attention = new MultiHeadAttention({ numHeads: 2, keyDim: 2 })
    expect(attention.apply(sequence, other).data).toEqual(attention.apply([sequence, other]).data)
    expect(attention.apply(sequence, other, null, { training: false }).data).toEqual(
      attention.apply([sequence, other]).data,
    )
    expect(attention.apply(sequence, other, other).data).toEqual(attention.apply([sequence, other, other]).data)
    expect(new Attention().apply(sequence, other).shape).toEqual([2, 3, 4])
    expect(new Add().apply([1, 2], [3, 4]).toArray()).toEqual([4, 6])
    const [a, b] = [Input({ shape: [2] }), Input({ shape: [2] })]
    const model = new Model({ inputs: [a, b], outputs: new Subtract().apply(a, b) })
    expect(model.predictOnBatch([[[3, 4]], [[1, 1]]]).toArray()).toEqual([[2, 3]])
    expectTypeOf(attention.apply(sequence, other)).toEqualTypeOf<Tensor>()
  })

  it('reach a call with three parameters apart', async () => {
    class Bilinear extends Layer<readonly Tensor[]> {
      kernel: Variable | null = null
      override build(shapes: readonly (readonly (number | null)[])[]): void {
        this.kernel = this.addWeight({ name: 'kernel', shape: [shapes[0]!.at(-1)!, shapes[1]!.at(-1)!] })
      }
      call(left: never, right?: unknown, context?: CallContext): Tensor {
        expect(context!.training).toBe(false)
        return ops.sum(ops.multiply(ops.matmul(left, this.kernel!), right as Tensor), { axis: -1 })
      }
    }
    // TypeScript knows the list; a program in JavaScript declares the three parameters.
    Object.defineProperty(Bilinear.prototype.call, 'length', { value: 3 })
    const layer = new Bilinear()
    const [left, right] = [random.normal([2, 3], { seed: 1 }), random.normal([2, 4], { seed: 2 })]
    const apart = Reflect.apply(layer.apply, layer, [left, right]) as Tensor
    expect(apart.data).toEqual(layer.apply([left, right]).data)
    const symbols = [Input({ shape: [3] }), Input({ shape: [4] })]
    const model = new Model({ inputs: symbols, outputs: layer.apply(symbols) })
    const bytes = await model.save()
    const copy = await loadModel(bytes, { customObjects: { Bilinear } })
    expect((copy.predictOnBatch([left, right] as never) as Tensor).data).toEqual(apart.data)
    expect(errorOf(() => Reflect.apply(layer.apply, layer, [left, right, right]))).toContain(
      'call takes 2 inputs, received 3',
    )
  })

  it('reach a call with two parameters apart, and the context after them', async () => {
    const seen: unknown[] = []
    class Difference extends Layer<Tensor> {
      override apply(input: InputsOf<Tensor>, options?: ApplyOptions | CallContext): Tensor
      override apply(...inputs: SeparateInputs): Tensor
      override apply(...given: readonly unknown[]): Tensor {
        return this.applyTo(given)
      }
      call(left: Tensor, right: Tensor, ...more: CallContext[]): Tensor {
        seen.push(more[0]?.training)
        return ops.subtract(left, right)
      }
    }
    class Both extends Model<Tensor, Tensor> {
      readonly left = new Dense(3)
      readonly right = new Dense(3)
      override apply(input: InputsOf<Tensor>, options?: ApplyOptions | CallContext): Tensor
      override apply(...inputs: SeparateInputs): Tensor
      override apply(...given: readonly unknown[]): Tensor {
        return this.applyTo(given)
      }
      override call(left: Tensor, right: unknown): Tensor {
        return ops.add(this.left.apply(left), this.right.apply(right as Tensor))
      }
    }
    const layer = new Difference()
    expectTypeOf(layer.apply([[5, 7]], [[1, 2]])).toEqualTypeOf<Tensor>()
    expect(layer.apply([[5, 7]], [[1, 2]], { training: true }).toArray()).toEqual([[4, 5]])
    expect(seen.at(-1)).toBe(true)
    const symbols = [Input({ shape: [2] }), Input({ shape: [2] })] as const
    const both = new Both({ name: 'both' })
    const output = new Concatenate().apply([layer.apply(...symbols), both.apply(...symbols)])
    const whole = new Model({ inputs: symbols, outputs: output })
    const x = [tensor([[5, 7]]), tensor([[1, 2]])] as const
    const [first] = x
    const result = whole.predictOnBatch(x)
    expect(result.data.slice(0, 2)).toEqual(Float32Array.of(4, 5))
    expect(result.data.slice(2)).toEqual(both.apply(...x).data)
    const customObjects = { Difference, Both }
    const copy = await loadModel(await whole.save(), { customObjects })
    expect((copy.predictOnBatch(x as never) as Tensor).data).toEqual(result.data)
    expect((await loadModel(await both.save(), { customObjects })).countParams()).toBe(both.countParams())
    expect(cloneModel(whole).countParams()).toBe(whole.countParams())
    const plain = new Model({ inputs: symbols, outputs: layer.apply(...symbols) })
    const keras = await loadModel(await writeKeras(plain), { customObjects })
    expect((keras.predictOnBatch(x as never) as Tensor).toArray()).toEqual([[4, 5]])
    // A list stays a list, and so do the arguments of a call that takes one.
    class Listed extends Layer<readonly Tensor[]> {
      call([left, right]: readonly Tensor[]): Tensor {
        return ops.subtract(left!, right!)
      }
    }
    expect((Reflect.apply(new Listed().apply, new Listed(), x) as Tensor).toArray()).toEqual([[4, 5]])
    expect(first.shape).toEqual([1, 2])
  })

  it('keep their defaults, and the context is found after them', () => {
    const used = (context: Partial<CallContext>): number =>
      context.training === true ? 10 : context.training === false ? 1 : -1
    class Optional extends Layer {
      call(a: Tensor, b: Tensor | null = null, context: Partial<CallContext> = {}): Tensor {
        return ops.multiply(b === null ? a : ops.add(a, b), used(context))
      }
    }
    class Named extends Layer {
      call(a: Tensor, b: Tensor | null = null, { training = false }: Partial<CallContext> = {}): Tensor {
        return ops.multiply(b === null ? a : ops.add(a, b), used({ training }))
      }
    }
    class Needed extends Layer {
      call(a: Tensor, b: Tensor, context: Partial<CallContext> = {}): Tensor {
        return ops.multiply(ops.add(a, b), used(context))
      }
    }
    class Scaled extends Layer {
      call(a: Tensor, b: Tensor | null = null, scale = 5): Tensor {
        return ops.multiply(b === null ? a : ops.add(a, b), scale)
      }
    }
    const one = ops.ones([1, 1])
    const [single, double] = [
      [[one], [one, { training: true }]],
      [[one, one], [one, one, { training: true }], [[one, one]]],
    ]
    const results = (layer: Layer, calls: readonly (readonly unknown[])[] = [...single, ...double]): unknown[] =>
      calls.map((given) => {
        const made: unknown = Reflect.apply(layer.apply, layer, given)
        return made instanceof Tensor ? made.item() : made
      })
    expect(results(new Optional())).toEqual([1, 10, 2, 20, 2])
    expect(results(new Named())).toEqual([1, 10, 2, 20, 2])
    expect(results(new Needed(), double)).toEqual([2, 20, 2])
    expect(results(new Scaled())).toEqual([5, 5, 10, 10, 10])
  })

  it('of a wrong count are an error', () => {
    const call = (layer: { apply: (...inputs: never[]) => unknown }, ...inputs: readonly unknown[]) =>
      errorOf(() => Reflect.apply(layer.apply, layer, inputs))
    expect(call(new Dense(3), x, x)).toContain('the input must be one tensor, received a list of 2')
    expect(call(new Subtract(), x, x, x)).toContain('exactly 2 tensors, received 3')
    expect(call(new MultiHeadAttention({ numHeads: 1, keyDim: 1 }), ...new Array<Tensor>(4).fill(x))).toContain(
      '[query, value, key]',
    )
    expect(call(new Add(), x, 'y')).toContain("options are an object, { training: true }, received 'y'")
  })
})

describe('stateless forms', () => {
  it('train like fit, without changing the model', async () => {
    const model = compiled()
    const reference = compiled()
    reference.setWeights(model.getWeights())
    const optimizer = new Adam({ learningRate: 0.01 })
    optimizer.build(model.trainableVariables)
    const before = model.variables.map(({ value }) => value)
    const mse = new losses.MeanSquaredError()
    const lossOf = (
      trainable: readonly Tensor[],
      others: readonly Tensor[],
      rows: Tensor,
      targets: Tensor,
    ): readonly [Tensor, Tensor[]] => {
      const [yPred, state] = model.statelessCall(trainable, others, rows, { training: true })
      return [mse.apply(targets, yPred), state]
    }
    const step = jit(
      (
        trainable: readonly Tensor[],
        others: readonly Tensor[],
        state: readonly Tensor[],
        rows: Tensor,
        targets: Tensor,
      ) => {
        const [[loss, next], gradients] = valueAndGrad(lossOf, { hasAux: true })(trainable, others, rows, targets)
        return [loss, ...[optimizer.statelessApply(state, gradients as Tensor[], trainable), next].flat()] as const
      },
    )
    let [trainable, others, state] = [model.trainableVariables, model.nonTrainableVariables, optimizer.variables].map(
      (all) => all.map(({ value }) => value),
    ) as [Tensor[], Tensor[], Tensor[]]
    const found: number[] = []
    for (let i = 0; i < 4; i++) {
      const [loss, weights, slots, ...next] = step(trainable, others, state, x, y) as unknown as [
        Tensor,
        Tensor[],
        Tensor[],
        ...Tensor[],
      ]
      ;[trainable, state, others] = [weights, slots, next]
      found.push(loss.item())
    }
    model.variables.forEach(({ value }, i) => expect(value.data).toEqual(before[i]!.data))
    expect(optimizer.iterations.numpy()).toBe(0)
    expect(state[0]!.toArray()).toBe(4)
    const { history } = await reference.fit(x, y, { epochs: 4, verbose: 0, shuffle: false })
    history['loss']!.forEach((loss, i) => expect(found[i]).toBeCloseTo(loss, 5))
    reference.trainableVariables.forEach((variable, i) => {
      variable.value.data.forEach((element, at) => expect(trainable[i]!.data[at]).toBeCloseTo(element, 4))
    })
  })

  it('give losses on request, and refuse other values', () => {
    const dense = new Dense({ units: 2, kernelRegularizer: 'l2', inputShape: [4] })
    dense.build([null, 4])
    const values = dense.trainableVariables.map(({ shape }) => ops.ones(shape))
    const [outputs, state, penalties] = dense.statelessCall(values, [], x, { returnLosses: true })
    expect(outputs.shape).toEqual([8, 2])
    expect(state).toEqual([])
    expect(penalties[0]!.item()).toBeCloseTo(0.08, 6)
    expect(errorOf(() => dense.statelessCall([], [], x))).toContain('must be 2 values, received 0')
    expect(errorOf(() => dense.statelessCall([values[1]!, values[0]!], [], x))).toContain('the new value must be')
    expect(() => new Adam().statelessApply([], [], [x])).toThrow('Before build there are none')
  })

  it('of metrics keep the sums outside', () => {
    const mean = new metrics.Mean()
    let state = mean.statelessResetState()
    state = mean.statelessUpdateState(state, [1, 2])
    state = mean.statelessUpdateState(state, 6)
    expect(mean.statelessResult(state).item()).toBe(3)
    expect(mean.result().item()).toBe(0)
    const auc = new metrics.AUC()
    const other = new metrics.AUC()
    other.apply([0, 1, 1], [0.1, 0.8, 0.3])
    expect(
      auc.statelessResult(auc.statelessUpdateState(auc.statelessResetState(), [0, 1, 1], [0.1, 0.8, 0.3])).item(),
    ).toBe(other.result().item())
    const update = jit((sums: readonly Tensor[], values: Tensor) => mean.statelessUpdateState(sums, values))
    expect(mean.statelessResult(update(mean.statelessResetState(), [4, 8])).item()).toBe(6)
  })
})

describe('the state of a model', () => {
  it('is a tree that another model takes', async () => {
    const model = compiled()
    await model.fit(x, y, { epochs: 2, verbose: 0 })
    expect(model.history!.history['loss']).toHaveLength(2)
    const tree = model.getStateTree()
    expect(Object.keys(tree.trainableVariables)).toEqual(['net'])
    expect(tree.nonTrainableVariables).toMatchObject({ net: { norm: { movingMean: {}, movingVariance: {} } } })
    expect(Object.keys(tree.metricsVariables)).toEqual(['loss', 'mae'])
    const copy = Sequential.fromConfig(model.getConfig())
    expect(copy.compiled).toBe(false)
    expect(copy.getCompileConfig()).toBe(null)
    copy.compileFromConfig(model.getCompileConfig())
    expect(copy.compiled).toBe(true)
    expect(copy.optimizer.learningRate).toBeCloseTo(0.01, 7)
    copy.optimizer.build(copy.trainableVariables)
    copy.setStateTree(tree)
    expect(copy.trainOnBatch(x, y)).toEqual(model.trainOnBatch(x, y))
    const before = copy.getWeights().map(({ data }) => data)
    const kernel = ops.ones([16, 2])
    for (const wrong of [
      { trainableVariables: { net: { out: { kernel, other: 1 } } } },
      { trainableVariables: { net: { out: { kernel, bias: [1, 2, 3] } } } },
      { nothing: { net: { out: { kernel } } } },
    ])
      expect(errorOf(() => copy.setStateTree(wrong))).toMatch(/setStateTree|must be/)
    expect(copy.getWeights().map(({ data }) => data)).toEqual(before)
    copy.setStateTree({ trainableVariables: { net: { out: { kernel } } } })
    expect(copy.weights.find(({ name }) => name === 'out/kernel')!.numpy()).toEqual(kernel.toArray())
  })

  it('has names, operations and settings', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const input = Input({ shape: [4], name: 'rows' })
    const hidden = new Dense({ units: 6, name: 'wide' }).apply(input).reshape([-1, 3, 2]).squeeze()
    const model = new Model({ inputs: input, outputs: new Flatten({ name: 'flat' }).apply(hidden) })
    expect(model.outputShape).toEqual([null, 6])
    expect(model.outputNames).toEqual(['flat'])
    expect(model.operations.map(({ name }) => name.replace(/_\d+$/, ''))).toEqual([
      'rows',
      'wide',
      'reshape',
      'squeeze',
      'flat',
    ])
    expect(input.name).toBe('rows')
    expect(input.ndim).toBe(2)
    expect([model.runEagerly, model.jitCompile, model.stepsPerExecution]).toEqual([false, true, 1])
    model.runEagerly = false
    expect(warn).not.toHaveBeenCalled()
    model.runEagerly = true
    model.stepsPerExecution = 10
    expect(warn).toHaveBeenCalledTimes(1)
    expect(() => new Model({}).outputShape).toThrow('has no outputShape')
    expect(model.getLayer('wide').dtypePolicy).toEqual({
      name: 'float32',
      computeDtype: 'float32',
      variableDtype: 'float32',
      quantizationMode: null,
    })
  })

  it('is exported as ONNX, and other formats are refused', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'myelin-export-'))
    const path = join(folder, 'net.onnx')
    const model = compiled()
    const bytes = await model.export(path)
    expect(new Uint8Array(await readFile(path))).toEqual(bytes)
    await model.export(path, { format: 'onnx' })
    await expect(model.export(join(folder, 'net'))).rejects.toThrow('a path that ends in .onnx')
    await expect(model.export(path, { format: 'tf_saved_model' })).rejects.toThrow(
      "received the format 'tf_saved_model'",
    )
    await rm(folder, { recursive: true })
  })
})

describe('quantize and enableLora', () => {
  it('round the kernels of a model in place', async () => {
    const model = compiled()
    await model.fit(x, y, { verbose: 0 })
    const [float, size] = [model.predictOnBatch(x), (await model.save()).length]
    await model.quantize('int8')
    expect(model.getLayer('hidden').quantizationMode).toBe('int8')
    expect(model.getLayer('hidden').dtypePolicy.name).toBe('int8_from_float32')
    const rounded = model.predictOnBatch(x)
    rounded.data.forEach((value, i) => expect(value).toBeCloseTo(Number(float.data[i]), 1))
    expect(rounded.data).not.toEqual(float.data)
    const bytes = await model.save()
    expect(bytes.length).toBeLessThan(size)
    const copy = await loadModel(bytes, { customObjects: quantizedLayers })
    expect((copy.predictOnBatch(x as never) as Tensor).data).toEqual(rounded.data)
    expect(() => model.trainOnBatch(x, y)).toThrow('int8 layers are not trained')
    const trained = compiled()
    const run = trained.fit(x, y, { verbose: 0 })
    await expect(trained.quantize()).rejects.toThrow('quantize while fit or evaluate is running')
    await run
    await expect(compiled().quantize('float8' as 'int8')).rejects.toThrow("must be 'int8' or 'int4'")
    await expect(new Sequential([new Flatten({ inputShape: [4] })]).quantize()).rejects.toThrow(
      'no layer that can be quantized',
    )
  })

  it('train narrow matrices, and name the function that a bundle needs', async () => {
    const model = compiled()
    const hidden = model.getLayer('hidden')
    expect([hidden.loraEnabled, hidden.loraRank, hidden.loraAlpha]).toEqual([false, null, null])
    hidden.enableLora(2, { loraAlpha: 4 })
    expect([hidden.loraEnabled, hidden.loraRank, hidden.loraAlpha]).toEqual([true, 2, 4])
    expect(errorOf(() => model.getLayer('norm').enableLora(2))).toContain('must be a Dense')
    const bundled = await freshLibrary()
    const own = new bundled.Sequential([new bundled.Dense({ units: 2, inputShape: [2] })])
    expect(() => own.layers[0]!.enableLora(2)).toThrow("import { enableLora } from 'myelin'")
    await expect(own.quantize()).rejects.toThrow("import { quantizeInPlace } from 'myelin/thrift'")
  })
})

describe('small members', () => {
  it('of variables and tensors', () => {
    const dense = new Dense({ units: 1, kernelRegularizer: new regularizers.L2(), inputShape: [2], name: 'own' })
    dense.build([null, 2])
    expect(dense.kernel.regularizer).toBeInstanceOf(regularizers.L2)
    expect(dense.bias!.regularizer).toBe(null)
    expect([dense.kernel.ndim, dense.kernel.path]).toEqual([2, 'own/kernel'])
    expect(new Variable(tensor([1, 2])).numpy()).toEqual([1, 2])
    expect(tensor([1, 2, 3, 4]).reshape([2, -1]).numpy()).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect(
      tensor([[1], [2]])
        .squeeze(-1)
        .toArray(),
    ).toEqual([1, 2])
    expect(jit((t: Tensor) => t.reshape([-1]))([[1, 2]]).shape).toEqual([2])
  })

  it('of metrics, initializers and streams', () => {
    class Own extends Metric {
      total = this.addWeight({ name: 'total', shape: [2], initializer: 'ones' })
      count = this.addVariable({ name: 'count', dtype: 'int32' })
      updateState(): void {
        this.total.assignAdd([1, 1])
      }
      result(): Tensor {
        return this.total.value
      }
    }
    const own = new Own({ name: 'own' })
    own.updateState()
    expect(own.result().toArray()).toEqual([2, 2])
    expect(own.variables.map(({ name, dtype }) => [name, dtype])).toEqual([
      ['own/total', 'float32'],
      ['own/count', 'int32'],
    ])
    const initializer = new initializers.RandomNormal({ seed: 3 })
    expect(initializer.clone()).not.toBe(initializer)
    expect(initializer.clone().call([3]).data).toEqual(initializer.call([3]).data)
    const stream = new SeedGenerator(7, 'mine')
    stream.next()
    expect(stream.getConfig()).toEqual({ seed: 7, name: 'mine' })
    const unseeded = new SeedGenerator()
    const first = unseeded.next()
    expect(SeedGenerator.fromConfig(unseeded.getConfig()).next().data).toEqual(first.data)
  })

  it('of recurrent layers', () => {
    const lstm = new LSTM({ units: 3, stateful: true })
    lstm.build([2, 4, 5])
    expect(lstm.stateSize).toEqual([3, 3])
    expect(lstm.getInitialState(2).map(({ shape }) => shape)).toEqual([
      [2, 3],
      [2, 3],
    ])
    lstm.apply(ops.ones([2, 4, 5]))
    expect(lstm.states!.some(({ value }) => value.data.some((each) => each !== 0))).toBe(true)
    lstm.resetStates()
    expect(lstm.states!.every(({ value }) => value.data.every((each) => each === 0))).toBe(true)
    const both = new Bidirectional(new LSTM({ units: 3, returnSequences: true }))
    expect([both.returnSequences, both.returnState, both.stateful, both.states]).toEqual([true, false, false, null])
  })
})

describe('callbacks', () => {
  it('may call what the base does, and are no listeners by it', async () => {
    const events: string[] = []
    class Own extends Callback {
      override onEpochBegin(epoch: number): void {
        void super.onEpochBegin(epoch, {})
        events.push(`begin ${epoch}`)
      }
      override onEpochEnd(epoch: number, logs: Logs): void {
        void super.onEpochEnd(epoch, logs)
        events.push(`end ${epoch}`)
      }
    }
    const model = compiled()
    await model.fit(x, y, { epochs: 2, batchSize: 1, verbose: 0, callbacks: new Own() })
    expect(events).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1'])
    expect(listensTo(new Own(), 'onTrainBatchBegin', 'onTrainBatchEnd', 'onTestBatchEnd')).toBe(false)
    expect(listensTo(new Own(), 'onEpochEnd')).toBe(true)
  })

  it('let many steps run in one call, unless they listen to steps under one of their names', async () => {
    const model = compiled()
    await model.fit(x, y, { batchSize: 1, verbose: 0 })
    class Still extends Callback {}
    class Listening extends Callback {
      seen = 0
      override onBatchEnd(): void {
        this.seen++
      }
    }
    const rows = random.normal([256, 4], { seed: 5 })
    const targets = random.normal([256, 2], { seed: 6 })
    const asked: number[] = []
    /** Is asked before each call of the steps. */
    const counter = { stepsAhead: ({ done }: { readonly done: number }) => (asked.push(done), Infinity) }
    await model.fit(rows, targets, { batchSize: 1, verbose: 0, callbacks: [new Still(), counter] })
    expect(asked.length).toBeLessThan(128)
    asked.length = 0
    const listening = new Listening()
    await model.fit(rows, targets, { batchSize: 1, verbose: 0, callbacks: [listening, counter] })
    expect(listening.seen).toBe(256)
    expect(asked.length).toBeGreaterThanOrEqual(256)
  })
})
