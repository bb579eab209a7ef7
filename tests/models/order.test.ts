// The order of layers, weights and variables of functional models is Keras's, so that lists of weights from Keras fit.
// modes: simd
import { describe, expect, it } from 'vitest'
import {
  Add,
  Average,
  BatchNormalization,
  Dense,
  Dropout,
  Input,
  Layer,
  Maximum,
  Model,
  Multiply,
  loadModel,
  modelFromJSON,
  ops,
  type Tensor,
  type Variable,
} from '../../src'
import { flatten, typed } from '../../src/core/tree'
import { InputLayer } from '../../src/layers/core/input-layer'
import { inFormerOrder } from '../../src/layers/weight-lists'
import { decodeContainer, encodeContainer } from '../../src/files/containers/safetensors'
import { saveWeights } from '../../src/layers/saved-weights'
import { saveModel } from '../../src/models/save'
import type { LayerBase } from '../../src/layers/layer'
import type { OrderCase, OrderFile, OrderModel } from '../golden/format'
import { expectTable } from '../helpers/documented'
import { expectTensor, readFixture } from '../helpers/golden'

type AnyModel = Model<Tensor[], unknown>

const { cases } = readFixture<OrderFile>('order')
const merges = { Add, Average, Maximum, Multiply }

function wave(shape: readonly number[], offset: number): Tensor {
  return ops.add(
    ops.multiply(ops.sin(ops.add(ops.multiply(ops.reshape(ops.arange(count(shape)), [...shape]), 1.3), offset)), 0.5),
    0.6,
  )
}

const count = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1)

function build({ steps, inputs, outputs, frozen }: OrderModel, name: string, models: Map<string, AnyModel>): AnyModel {
  const symbols: Tensor[] = []
  const layers = new Map<string, Layer>()
  for (const step of steps) {
    if ('input' in step) {
      symbols.push(Input({ shape: [3], name: `${name}_${step.input}` }))
      continue
    }
    const given = step.from.map((i) => symbols[i]!)
    if ('op' in step) symbols.push((ops[step.op] as (...inputs: Tensor[]) => Tensor)(...given))
    else if ('model' in step) symbols.push(...byKey(models.get(step.model)!.apply(given)))
    else if ('again' in step) symbols.push(layers.get(step.again)!.apply(given[0]!))
    else if (step.class in merges) {
      symbols.push(new merges[step.class as keyof typeof merges]({ name: `${name}_${step.name}` }).apply(given))
    } else {
      const options = { name: `${name}_${step.name}` }
      const layer =
        step.class === 'Dense'
          ? new Dense({ units: 3, activation: 'tanh', ...options })
          : step.class === 'Dropout'
            ? new Dropout({ rate: 0.5, ...options })
            : new BatchNormalization(options)
      layers.set(step.name, layer)
      symbols.push(layer.apply(given[0]!))
    }
  }
  const ends = Array.isArray(outputs)
    ? outputs.map((i) => symbols[i]!)
    : Object.fromEntries(Object.entries(outputs).map(([key, i]) => [key, symbols[i]!]))
  for (const key of frozen) layers.get(key)!.trainable = false
  return new Model({ inputs: inputs.map((i) => symbols[i]!), outputs: typed(ends), name })
}

/** The leaves in the order in which Keras flattens records. */
function byKey(tree: unknown): Tensor[] {
  if (tree instanceof Object && !Array.isArray(tree) && !('shape' in tree))
    return Object.entries(tree)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, leaf]) => byKey(leaf))
  return flatten<Tensor>(typed(tree))
}

function made(each: OrderCase): AnyModel {
  const models = new Map<string, AnyModel>()
  for (const [key, described] of Object.entries(each.models)) models.set(key, build(described, key, models))
  return build(each.main, 'main', models)
}

/** `layer/variable`, or `layer/seed`. */
function pathsIn(model: LayerBase, variables: readonly Variable[]): string[] {
  const paths = new Map<Variable, string>()
  for (const layer of model.allLayers) {
    for (const variable of layer.ownWeights) paths.set(variable, `${layer.name}/${variable.name.split('/').at(-1)}`)
    if (layer instanceof Dropout) paths.set(layer.stateVariables[0]!, `${layer.name}/seed`)
  }
  return variables.map((variable) => paths.get(variable)!)
}

/** Whether a model is called both in the main model and inside another nested one: files contain such a model twice. */
function sharesAcross({ models, main }: OrderCase): boolean {
  const calledIn = ({ steps }: OrderModel): string[] => steps.flatMap((step) => ('model' in step ? [step.model] : []))
  return Object.values(models).some((within) => calledIn(within).some((key) => calledIn(main).includes(key)))
}

const declared = (model: AnyModel, each: OrderCase): string[] =>
  model.layers.map((layer) =>
    layer instanceof InputLayer &&
    !each.main.steps.some((step) => 'input' in step && `main_${step.input}` === layer.name)
      ? ''
      : layer.name,
  )

describe('as in Keras', () => {
  it.each(cases.map((each, i) => [i, each] as const))('random graph %i', async (_, each) => {
    const model = made(each)
    expect(declared(model, each)).toEqual(each.layers)
    expect(pathsIn(model, model.weights)).toEqual(each.weights)
    expect(pathsIn(model, model.variables)).toEqual(each.variables)
    expect(pathsIn(model, model.trainableVariables)).toEqual(each.trainable)
    expect(pathsIn(model, model.nonTrainableVariables)).toEqual(each.nonTrainable)
    model.setWeights(model.weights.map(({ shape }, i) => wave(shape, 7 * i)))
    const x = each.main.inputs.map((_, i) => wave([2, 3], 100 + i))
    const expectPredictions = (of: AnyModel): void =>
      byKey(of.predictOnBatch(x)).forEach((y, i) => expectTensor(y, each.predictions[i]!, `output ${i}`))
    expectPredictions(model)
    if (sharesAcross(each) || model.weights.length === 0) return
    // Copies from files agree, also from files with the former order.
    const copies = [
      await loadModel(await model.save()),
      await loadModel(inFormerOrder(true, () => formerly(saveModel(model)))),
    ]
    for (const copy of copies as unknown as AnyModel[]) {
      expect(declared(copy, each)).toEqual(each.layers)
      expectPredictions(copy)
    }
    const blank = modelFromJSON(model.toJSON()) as unknown as AnyModel
    for (const bytes of [saveWeights(model), inFormerOrder(true, () => formerly(saveWeights(model)))]) {
      blank.setWeights(blank.weights.map(({ shape }) => ops.ones([...shape])))
      await blank.loadWeights(bytes)
      expectPredictions(blank)
    }
  })
})

it('docs/checks.md has the numbers of graphs', () => {
  const kinds: readonly (readonly [string, (main: OrderModel) => boolean])[] = [
    ['all', () => true],
    ['with a shared layer', ({ steps }) => steps.some((step) => 'again' in step)],
    ['with a nested model', ({ steps }) => steps.some((step) => 'model' in step)],
    ['with several inputs', ({ inputs }) => inputs.length > 1],
    ['with several outputs', ({ outputs }) => Object.keys(outputs).length > 1],
  ]
  const found = cases.map((each) => {
    const isAlike = (isFormer: boolean): boolean =>
      inFormerOrder(isFormer, () => {
        const model = made(each)
        return String(pathsIn(model, model.weights)) === String(each.weights)
      })
    return { main: each.main, isAlike: isAlike(false), wasAlike: isAlike(true) }
  })
  const rows = kinds.map(([kind, isOf]) => {
    const graphs = found.filter(({ main }) => isOf(main))
    return [
      kind,
      graphs.length,
      graphs.filter(({ isAlike }) => isAlike).length,
      graphs.filter(({ wasAlike }) => wasAlike).length,
    ]
  })
  expectTable('docs/checks.md', 'order', ['graphs', 'number', 'as in Keras', 'as in Keras in the former order'], rows)
})

/** A file as versions before 3 wrote it. */
function formerly(bytes: Uint8Array): Uint8Array {
  const { metadata, tensors } = decodeContainer(bytes)
  const { version: _, description, ...rest } = metadata
  const old =
    description === undefined
      ? {}
      : { description: JSON.stringify({ ...(JSON.parse(description) as object), version: 2 }) }
  return encodeContainer([...tensors.values()], { ...rest, ...old })
}

it('weights in properties come after those of the graph, trainable weights before others', () => {
  class Own extends Model {
    extra = new Dense({ units: 1, name: 'extra' })
    constructor() {
      const x = Input({ shape: [2] })
      super({ inputs: x, outputs: new Dense({ units: 1, name: 'inner' }).apply(x) })
      this.extra.ensureBuilt([null, 2])
    }
  }
  expect(new Own().weights.map(({ name }) => name)).toEqual([
    'inner/kernel',
    'inner/bias',
    'extra/kernel',
    'extra/bias',
  ])
  class Counted extends Layer {
    override build(): void {
      this.addWeight({ name: 'count', shape: [], trainable: false })
      this.addWeight({ name: 'scale', shape: [] })
    }
    call(x: Tensor): Tensor {
      return x
    }
  }
  const counted = new Counted({ name: 'counted' })
  counted.ensureBuilt([null, 2])
  expect(counted.weights.map(({ name }) => name)).toEqual(['counted/scale', 'counted/count'])
  // Freezing does not change its position.
  counted.weights[0]!.trainable = false
  expect(counted.weights.map(({ name }) => name)).toEqual(['counted/scale', 'counted/count'])
})

it('ops are not among the layers of a model', () => {
  const x = Input({ shape: [2], name: 'x' })
  const model = new Model({
    inputs: x,
    outputs: ops.tanh(new Dense({ units: 1, name: 'd' }).apply(ops.multiply(x, 2))),
  })
  expect(model.layers.map(({ name }) => name)).toEqual(['x', 'd'])
})
