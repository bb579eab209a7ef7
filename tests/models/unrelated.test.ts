// Objects that are created or changed outside a model leave its lists and programs unchanged; changes of its own parts
// renew them.
// modes: simd

import { describe, expect, it, vi } from 'vitest'
import {
  Dense,
  Dropout,
  Input,
  Layer,
  LSTM,
  Sequential,
  StringLookup,
  Variable,
  ops,
  optimizers,
  type Model,
  type Tensor,
} from '../../src'
import { listsOf } from '../../src/layers/weight-lists'
import { changeTraits } from '../../src/layers/traits'

const x = [
  [0, 1],
  [1, 0],
]
const y = [[1], [0]]

function trained(): Model {
  const model = new Sequential([
    new Dense({ units: 3, inputShape: [2], activation: 'tanh' }),
    new Dropout(0.5),
    new Dense(1),
  ])
  model.compile({ optimizer: 'adam', loss: 'mse' })
  model.trainOnBatch(x, y)
  return model
}

/** Two blocks, in a property and in a list, that can be replaced. */
class Blocks extends Layer<Tensor> {
  static readonly className = 'Blocks'
  first: Layer = new Dense(2)
  readonly more: Layer[] = [new Dense(2)]
  shift: Variable | null = null

  call(input: Tensor): Tensor {
    const output = [this.first, ...this.more].reduce((value, layer) => layer.apply(value), input)
    return this.shift === null ? output : ops.add(output, this.shift)
  }
}

/** The objects of a model that unrelated changes must not replace. */
const stateOf = (model: Model) => ({
  lists: listsOf(model),
  weights: model.weights,
  trainableWeights: model.trainableWeights,
  programs: [...model.training.steps.programs.values()],
})

const elsewhere: Readonly<Record<string, () => unknown>> = {
  'a layer is created': () => new Dense(3),
  'a variable is created': () => new Variable([3]),
  'a model is created, built and trained': trained,
  'a recurrent layer is called on data': () => new LSTM(2).apply([[[1], [2]]]),
  'an optimizer is created and built': () => new optimizers.Adam().build([new Variable([2])]),
  'a symbol is created': () => new Dense(2).apply(Input({ shape: [2] })),
  'a layer of another model is frozen': () => (new Dense({ units: 2, inputShape: [2] }).trainable = false),
  'an option of another layer changes': () => {
    const dropout = new Dropout(0.5)
    dropout.apply([[1]], { training: true })
    Object.assign(dropout, { rate: 0.25 })
  },
  'another layer gets a vocabulary': () => {
    const lookup = new StringLookup({ vocabulary: ['a', 'b'] })
    lookup.setVocabulary(['c', 'd'])
  },
}

describe('unrelated changes', () => {
  it.each(Object.entries(elsewhere))('%s: a model keeps its lists and its programs', (_, change) => {
    const model = trained()
    const before = stateOf(model)
    change()
    const calls = vi.spyOn(Dense.prototype, 'call')
    try {
      model.trainOnBatch(x, y)
      // A step that is compiled calls the layers.
      expect(calls).not.toHaveBeenCalled()
    } finally {
      calls.mockRestore()
    }
    const after = stateOf(model)
    for (const part of ['lists', 'weights', 'trainableWeights'] as const) expect(after[part], part).toBe(before[part])
    expect(after.programs).toEqual(before.programs)
    after.programs.forEach((program, i) => expect(program).toBe(before.programs[i]))
  })

  it('a step walks through the layers only if something was created since the last step', () => {
    const model = trained()
    model.trainOnBatch(x, y)
    const [first] = model.layers
    const looks = vi.fn(() => [])
    changeTraits(first!, { hiddenParts: looks })
    for (let i = 0; i < 3; i++) model.trainOnBatch(x, y)
    expect(looks).not.toHaveBeenCalled()
    // One walk after something was created.
    void new Variable([1])
    for (let i = 0; i < 3; i++) model.trainOnBatch(x, y)
    expect(looks).toHaveBeenCalledTimes(1)
  })
})

describe('changes of a model', () => {
  const changes: Readonly<Record<string, (blocks: Blocks) => void>> = {
    'another layer in a property': (blocks) => {
      blocks.first = new Dense(2)
      blocks.first.ensureBuilt([null, 2])
    },
    'another layer in a list': (blocks) => {
      blocks.more[0] = new Dense(2)
      blocks.more[0].ensureBuilt([null, 2])
    },
    'one more layer in a list': (blocks) => {
      blocks.more.push(new Dense(2))
      blocks.more[1]!.ensureBuilt([null, 2])
    },
    'a new variable': (blocks) => {
      blocks.shift = new Variable([2])
    },
    'a frozen layer': (blocks) => {
      blocks.more[0]!.trainable = false
    },
    'a frozen variable': (blocks) => {
      blocks.weights[0]!.trainable = false
    },
  }
  it.each(Object.entries(changes))('%s: the lists and the programs are new', (_, change) => {
    const blocks = new Blocks()
    const model = new Sequential([Input({ shape: [2] }), blocks])
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    model.trainOnBatch(x, x)
    const before = stateOf(model)
    change(blocks)
    model.trainOnBatch(x, x)
    expect(listsOf(model)).not.toBe(before.lists)
    expect(model.trainableWeights).not.toEqual(before.trainableWeights)
    for (const program of model.training.steps.programs.values()) expect(before.programs).not.toContain(program)
    const values = model.trainableWeights.map((weight) => weight.value.data.slice())
    model.trainOnBatch(x, x)
    model.trainableWeights.forEach((weight, i) => expect(weight.value.data, weight.name).not.toEqual(values[i]))
  })

  it('an option of a layer of the model: the programs are new', () => {
    const model = trained()
    const { programs } = stateOf(model)
    Object.assign(model.layers[1]!, { rate: 0.25 })
    model.trainOnBatch(x, y)
    for (const program of model.training.steps.programs.values()) expect(programs).not.toContain(program)
  })
})
