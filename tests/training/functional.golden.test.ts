// Runs of functional models compared with Keras: shared layers, nested models, masks, several inputs and outputs. The
// fixture describes the models as graphs.
import { describe, expect, it } from 'vitest'
import {
  Input,
  Layer,
  Model,
  Sequential,
  ops,
  type CompileOptions,
  type LayerBase,
  type SampleWeights,
  type Tensor,
} from '../../src'
import { flatten, mapTree, typed, type Tree } from '../../src/core/tree'
import { layers as registry } from '../../src/layers/registry'
import type {
  Described,
  FixtureTensor,
  FunctionalCase,
  FunctionalFile,
  GraphDescription,
  LayerInput,
} from '../golden/format'
import { TOLERANCE, expectNear, expectTensor, readFixture, serialized, toTensor } from '../helpers/golden'
import { applyTree } from '../../src/layers/applying'

const { data, cases } = readFixture<FunctionalFile>('functional')

/** Adds factor · mean(x²) to the loss. */
class OutputPenalty extends Layer {
  override readonly supportsMasking = true
  constructor(
    private readonly factor: number,
    name: string,
  ) {
    super({ name })
  }
  call(x: Tensor): Tensor {
    this.addLoss(ops.multiply(ops.mean(ops.square(x)), this.factor))
    return x
  }
}

function makeLayer(name: string, described: Described): LayerBase {
  if (described.class === 'OutputPenalty') return new OutputPenalty(Number(described.config['factor']), name)
  const { className, config } = serialized(described)
  return registry.get({ className, config: { ...config, name } })
}

/** The layers and nested models of a case by their keys. */
class Made {
  readonly layers: ReadonlyMap<string, LayerBase>
  readonly models = new Map<string, LayerBase>()

  constructor(each: FunctionalCase) {
    this.layers = new Map(Object.entries(each.layers).map(([key, described]) => [key, makeLayer(key, described)]))
    for (const [key, described] of Object.entries(each.models)) {
      if (!Array.isArray(described)) this.models.set(key, this.model(described, key))
      else {
        const [input, ...keys] = described
        const symbol = Input({ ...input, name: `${key}_input` })
        const list = keys.map((inner) => this.get(inner) as Layer)
        const model = new Sequential(list, { name: key })
        model.apply(symbol)
        this.models.set(key, model)
      }
    }
  }

  get(key: string): LayerBase {
    const found = this.layers.get(key) ?? this.models.get(key)
    if (found === undefined) throw new Error(`the case has no ${key}`)
    return found
  }

  model({ inputs, order, calls, outputs }: GraphDescription, name: string): Model {
    const symbols = new Map<string, unknown>(
      Object.entries(inputs).map(([key, about]) => [key, Input({ ...about, name: key })]),
    )
    const look = (leaf: string | number): unknown => (typeof leaf === 'number' ? leaf : symbols.get(leaf))
    for (const { layer, from, as: names } of calls) {
      const given = mapTree(from, look)
      const keys = flatten<string>(names)
      const results =
        typeof layer === 'object' && 'op' in layer
          ? [callOp(layer.op, [...(given as unknown[]), ...(layer.more ?? [])])]
          : flatten(applyTree(this.get(typeof layer === 'string' ? layer : layer.model), given, {}))
      keys.forEach((key, i) => symbols.set(key, results[i]))
    }
    return new Model({ inputs: typed(mapTree(order, look)), outputs: typed(mapTree(outputs, look)), name })
  }
}

function callOp(name: string, given: readonly unknown[]): unknown {
  const op: unknown = Reflect.get(ops, name)
  if (typeof op !== 'function') throw new Error(`there is no op ${name}`)
  return op(...given)
}

function rowsOf({ shape: [, ...rest], data: all, dtype }: LayerInput, start: number, end: number): Tensor {
  const width = rest.reduce((a, b) => a * b, 1)
  const rows = all.slice(start * width, end * width)
  const part = toTensor({ data: rows, shape: [end - start, ...rest] })
  return dtype === 'int32' ? ops.cast(part, 'int32') : part
}

const part = (tree: Tree<string>, start: number, end: number): Tree<Tensor> =>
  mapTree(tree, (name) => rowsOf(data[name]!, start, end))
const ROWS = [0, 10] as const
const HELD = [10, 14] as const

// Adam's updates are sensitive to the last bits of small gradients: √v is as small as they are.
const toleranceOf = ({ compile: { optimizer } }: FunctionalCase): number =>
  optimizer.class.startsWith('Adam') ? 3e-5 : TOLERANCE

async function compileAndFit(model: Model, { compile, fit }: FunctionalCase) {
  const { optimizer, ...rest } = compile
  const options: CompileOptions = {
    optimizer: serialized(optimizer),
    ...typed<Omit<CompileOptions, 'optimizer'>>(rest),
  }
  model.compile(options)
  const { batchSize, epochs, x, y, sampleWeight, validation } = fit
  const weights = (rows: readonly [number, number]) =>
    sampleWeight === undefined ? {} : { sampleWeight: typed<SampleWeights>(part(sampleWeight, ...rows)) }
  const held = [part(x, ...HELD), part(y, ...HELD), ...Object.values(weights(HELD))]
  const trained = await model.fit(typed(part(x, ...ROWS)), typed(part(y, ...ROWS)), {
    batchSize,
    epochs,
    shuffle: false,
    verbose: 0,
    ...weights(ROWS),
    ...(validation ? { validationData: typed(held) } : {}),
  })
  const evaluated = await model.evaluate(typed(part(x, ...ROWS)), typed(part(y, ...ROWS)), {
    batchSize,
    ...weights(ROWS),
  })
  return { history: trained.history, evaluated }
}

function expectLogs(
  received: Readonly<Record<string, readonly number[]>>,
  expected: Readonly<Record<string, readonly number[] | null>>,
  where: string,
  tolerance: number,
): void {
  expect(Object.keys(received).sort(), `the keys of ${where}`).toEqual(Object.keys(expected).sort())
  for (const [name, values] of Object.entries(expected))
    if (values !== null) expectNear(received[name]!, values, `${where}.${name}`, tolerance)
}

function expectWeights(
  made: Made,
  expected: { [layer: string]: FixtureTensor[] },
  where: string,
  tolerance: number,
): void {
  for (const [key, tensors] of Object.entries(expected)) {
    const weights = made.get(key).getWeights()
    expect(weights).toHaveLength(tensors.length)
    tensors.forEach((each, i) => expectTensor(weights[i]!, each, `${where} of ${key} ${i}`, tolerance))
  }
}

describe('functional models train, evaluate and predict as in Keras', () => {
  it.each(cases)('$name', async (each) => {
    const made = new Made(each)
    const model = made.model(each.main, 'main')
    for (const [key, tensors] of Object.entries(each.initialWeights)) {
      const { weights } = made.get(key)
      expect(weights.map(({ shape }) => shape)).toEqual(tensors.map(({ shape }) => shape))
      weights.forEach((weight, i) => weight.assign(toTensor(tensors[i]!)))
    }
    const tolerance = toleranceOf(each)
    if (each.freeze !== undefined) {
      for (const key of each.freeze) made.get(key).trainable = false
      const { history } = await compileAndFit(model, each)
      expectLogs(history, each.frozenHistory!, 'the history while frozen', tolerance)
      expectWeights(made, each.frozenWeights!, 'weights while frozen', tolerance)
      for (const key of each.freeze) made.get(key).trainable = true
    }
    const { history, evaluated } = await compileAndFit(model, each)
    expectLogs(history, each.history, 'history', tolerance)
    expectLogs(
      Object.fromEntries(Object.entries(evaluated).map(([key, value]) => [key, [value]])),
      Object.fromEntries(Object.entries(each.evaluate).map(([key, value]) => [key, [value]])),
      'evaluate',
      tolerance,
    )
    expectWeights(made, each.finalWeights, 'final weights', tolerance)
    expectTree(await model.predict(typed(part(each.fit.x, ...HELD))), each.predictions, tolerance)
    model.dispose()
  })
})

function isFixtureTensor(tree: object): tree is FixtureTensor {
  return 'data' in tree && 'shape' in tree
}

function expectTree(received: Tree<Tensor>, expected: object, tolerance: number): void {
  if (isFixtureTensor(expected)) return expectTensor(received as Tensor, expected, 'predictions', tolerance)
  expect(Object.keys(received).sort()).toEqual(Object.keys(expected).sort())
  for (const [key, each] of Object.entries(expected))
    expectTree(Reflect.get(received, key) as Tree<Tensor>, each as object, tolerance)
}
