// Properties of single layers beyond the contract and Keras's numbers: error messages, masks, custom functions.

import { describe, expect, it } from 'vitest'
import {
  Add,
  Concatenate,
  Dense,
  Dot,
  EinsumDense,
  Input,
  Lambda,
  Layer,
  Masking,
  Merge,
  Model,
  PReLU,
  Permute,
  RepeatVector,
  Sequential,
  Softmax,
  Subtract,
  TensorSpec,
  Wrapper,
  customObjectScope,
  loadModel,
  maskOf,
  ops,
  tensor,
  type BatchShape,
  type LambdaContext,
  type Tensor,
} from '../../src'
import { layers } from '../../src/layers/registry'
import { errorOf } from '../helpers/training'
import type { LayerBase } from '../../src/layers/layer'
import { applyTree } from '../../src/layers/applying'

describe('merging', () => {
  const a = ops.ones([2, 3])

  it.each([
    [
      'a single tensor',
      () => applyTree(layers.get({ className: 'Add', config: { name: 'x' } }), a, {}),
      'Add "x": needs a list of tensors, received a single tensor',
    ],
    ['an empty list', () => new Add({ name: 'x' }).apply([]), 'Add "x": needs a list of tensors, received none'],
    [
      'three inputs',
      () => new Subtract({ name: 'x' }).apply([a, a, a]),
      'Subtract "x": needs a list of exactly 2 tensors, received 3',
    ],
    [
      'other shapes',
      () => new Add({ name: 'x' }).apply([a, ops.ones([2, 4])]),
      'Add "x": the shapes of the inputs must be equal or broadcast, received [null, 3] and [null, 4]',
    ],
    ['other batch sizes', () => new Add({ name: 'x' }).apply([a, ops.ones([3, 3])]), 'received [2, 3] and [3, 3]'],
    [
      'other extents than along the axis',
      () => new Concatenate({ name: 'x', axis: 1 }).apply([ops.ones([2, 3, 4]), ops.ones([2, 3, 5])]),
      'Concatenate "x": the shapes of the inputs must be equal except along axis 1, received [null, 3, 4] and [null, 3, 5]',
    ],
    [
      'ranks',
      () => new Concatenate({ name: 'x' }).apply([ops.ones([2, 3, 4]), a]),
      'received [null, 3, 4] and [null, 3]',
    ],
    [
      'a missing axis',
      () => new Concatenate({ name: 'x', axis: 2 }).apply([a, a]),
      'Concatenate "x": the axis must be in −2 … 1, received 2',
    ],
    [
      'the batch axis',
      () => new Dot({ name: 'x', axes: 0 }).apply([a, a]),
      'Dot "x": axes must not name the batch axis',
    ],
    [
      'incompatible axes',
      () => new Dot({ name: 'x', axes: 1 }).apply([a, ops.ones([2, 4])]),
      'Dot "x": axis 1 of the first input and axis 1 of the second must be equal, received [null, 3] and [null, 4]',
    ],
  ])('refuses %s', (_what, action, message) => {
    expect(action).toThrow(message)
  })

  it('is a base for custom merges', () => {
    class First extends Merge {
      protected merge([first]: readonly Tensor[]): Tensor {
        return first!
      }
    }
    expect(new First().apply([a, ops.zeros([2, 3])]).data).toEqual(a.data)
    expect(() => new First({ name: 'x' }).apply([a, ops.zeros([2, 4])])).toThrow(
      'First "x": the shapes of the inputs must be equal or broadcast',
    )
  })

  it('takes each row of numbers as an input', () => {
    // @ts-expect-error the types ask for tensors in lists; plain JavaScript may give rows of numbers
    expect(new Add().apply([[[1, 2]], [[3, 4]]]).toArray()).toEqual([[4, 6]])
  })

  it('handles broadcasting to an open extent', () => {
    expect(
      new Add().computeOutputShape([
        [null, 1, 4],
        [null, 4],
        [null, null, 1],
      ]),
    ).toEqual([null, null, 4])
    expect(
      new Add().computeOutputShape([
        [null, 5],
        [3, 1],
      ]),
    ).toEqual([3, 5])
    expect(
      new Concatenate().computeOutputShape([
        [null, 5],
        [null, null],
      ]),
    ).toEqual([null, null])
    expect(
      new Dot({ axes: [2, 1] }).computeOutputShape([
        [null, 3, 5],
        [null, 5],
      ]),
    ).toEqual([null, 3])
  })
})

describe('specs before data', () => {
  it('exist for lists and for single inputs', () => {
    const [ids, x] = [new TensorSpec([null, 3], 'int32'), new TensorSpec([null, 3])]
    expect(String(new Add().computeOutputSpec([ids, ids]))).toBe('int32 [null, 3]')
    expect(String(new Add().computeOutputSpec([ids, x]))).toBe('float32 [null, 3]')
    expect(String(new Concatenate().computeOutputSpec([ids, ids]))).toBe('int32 [null, 6]')
  })

  it('have a single type for layers of any inputs and outputs', () => {
    const all: readonly LayerBase[] = [new Add(), new Dense(2)]
    for (const layer of all) expect(layer).toBeInstanceOf(Layer)
  })
})

describe('inputs of the wrong rank', () => {
  it.each([
    [
      'RepeatVector',
      () => new RepeatVector({ n: 2, name: 'x' }).apply(ops.ones([2, 3, 4])),
      'RepeatVector "x": the input must be [batch, features], received [2, 3, 4]. Did you forget Flatten?',
    ],
    [
      'Permute',
      () => new Permute({ dims: [2, 1], name: 'x' }).apply(ops.ones([2, 3])),
      'Permute "x": the input must be [batch, axis 1, axis 2], received [2, 3].',
    ],
    [
      'Permute with a repeated axis',
      () => new Permute({ dims: [1, 1] }),
      'dims must hold each of 1 … 2 once, received [1, 1]',
    ],
  ])('%s', (_what, action, message) => {
    expect(action).toThrow(message)
  })
})

describe('EinsumDense', () => {
  const make = (equation: string, outputShape: number | (number | null)[], biasAxes?: string): EinsumDense =>
    new EinsumDense({ equation, outputShape, biasAxes: biasAxes ?? null, name: 'x' })

  it.each([
    ['no arrow', () => make('ab,bc', 3), 'EinsumDense "x": the equation must be like \'ab,bc->ac\''],
    ['an ellipsis on one side', () => make('...ab,bc->ac', 3), "received '...ab,bc->ac'"],
    [
      'an unknown letter in the output',
      () => make('ab,bc->ad', 3),
      "d of the output is in neither operand of 'ab,bc->ad'",
    ],
    [
      'a kernel letter in neither input nor output',
      () => make('ab,bcd->ac', 3),
      'd of the kernel is in neither input nor output',
    ],
    [
      'a bias axis outside the output',
      () => make('ab,bc->ac', 3, 'b'),
      "b of biasAxes is not in the output of 'ab,bc->ac'",
    ],
    [
      'too many axes',
      () => make('ab,bc->ac', 3).ensureBuilt([null, 2, 3]),
      'the input must have 2 axes, received [null, 2, 3]. Did you forget Flatten?',
    ],
    [
      'too few axes',
      () => make('...ab,bc->...ac', [3, 2]).ensureBuilt([null, 3]),
      'the input must have at least 3 axes, received [null, 3]',
    ],
    [
      'another extent',
      () => make('abc,cd->abd', [4, 2]).ensureBuilt([null, 3, 5]),
      'b is 3 in the input [null, 3, 5] and 4 in the output',
    ],
    [
      'an open extent',
      () => make('ab,bc->ac', 3).ensureBuilt([null, null]),
      'the extent of b must be known, in outputShape or in the input [null, null]',
    ],
    [
      'an outputShape that is too long',
      () => make('ab,bc->ac', [3, 4]).ensureBuilt([null, 2]),
      'outputShape must have 1 extents, received [3, 4]',
    ],
  ])('refuses %s', (_what, action, message) => {
    expect(action).toThrow(message)
  })

  it('keeps open extents open', () => {
    expect(make('abc,cd->abd', [null, 8]).computeOutputShape([null, null, 4])).toEqual([null, null, 8])
    expect(make('...x,xy->...y', 8).computeOutputShape([null, 3, null, 4])).toEqual([null, 3, null, 8])
    expect(make('ab...,bc->ac...', 8).computeOutputShape([null, 4, null])).toEqual([null, 8, null])
  })

  it('scales its initial weights by the axes that the equation sums over', () => {
    // ±√(6 / (fanIn + fanOut)) with 4 inputs and 50 · 40 outputs
    const layer = make('ab,bcd->acd', [50, 40])
    layer.ensureBuilt([null, 4])
    const largest = Math.max(...Array.from(layer.kernel.value.data, Math.abs))
    const limit = Math.sqrt(6 / 2004)
    expect(largest).toBeLessThanOrEqual(limit)
    expect(largest).toBeGreaterThan(0.99 * limit)
  })
})

describe('activations', () => {
  it('Softmax reports a mask that does not fit', () => {
    const mask = ops.equal(ops.ones([2, 3]), 1)
    expect(() => new Softmax({ name: 'x' }).apply(ops.ones([2, 3, 4]), { mask })).toThrow(
      'Softmax "x": the mask must broadcast to the input [2, 3, 4], received [2, 3]',
    )
  })

  it('PReLU accepts open extents along shared axes only', () => {
    expect(() => new PReLU({ name: 'x' }).ensureBuilt([null, null, 3])).toThrow(
      'PReLU "x": axis 1 of the input must be known, or be among sharedAxes, received [null, null, 3]',
    )
    const layer = new PReLU({ sharedAxes: 1 })
    layer.ensureBuilt([null, null, 3])
    expect(layer.alpha.shape).toEqual([1, 3])
    expect(() => new PReLU({ name: 'x', sharedAxes: 3 }).ensureBuilt([null, 2, 3])).toThrow(
      'PReLU "x": sharedAxes: the axis must be in',
    )
  })
})

describe('Lambda', () => {
  const shifted = (x: Tensor, { by }: LambdaContext): Tensor => ops.add(x, by as number)
  const model = (): Sequential =>
    new Sequential([new Lambda({ function: shifted, arguments: { by: 4 }, inputShape: [2] })])

  it('is found by name when a model is loaded', async () => {
    const copy = await loadModel(await model().save(), { customObjects: { shifted } })
    expect(copy.predictOnBatch([[1, 2]]).toArray()).toEqual([[5, 6]])
  })

  it('the error names the missing layer', async () => {
    class Own extends Layer {
      static readonly className = 'OwnOfTheUser'
      call(x: Tensor): Tensor {
        return x
      }
    }
    const bytes = await new Sequential([new Own({ inputShape: [2] })]).save()
    await expect(loadModel(bytes)).rejects.toThrow(
      /^Unknown layer 'OwnOfTheUser'\. Pass your own classes and functions in customObjects, under this name\. /,
    )
  })

  it('the error names the missing function', async () => {
    const bytes = await model().save()
    const error = await errorOf(() => loadModel(bytes))
    expect(error.message).toMatch(
      /Unknown function 'shifted' that a Lambda layer calls \(Lambda "lambda[_\d]*": function\)\..*customObjects/,
    )
  })

  it('works without a name, and explains on saving why it cannot be saved', async () => {
    const anonymous = new Sequential([new Lambda({ function: (x) => ops.multiply(x, 2), inputShape: [1] })])
    expect(anonymous.predictOnBatch([[3]]).toArray()).toEqual([[6]])
    expect((await errorOf(() => anonymous.save())).message).toContain(
      "A function without a name that a Lambda layer calls cannot be saved: 'function' is only the name of the option at which it was written. Give it one",
    )
  })

  it('refuses arguments that cannot be saved, on saving', () => {
    expect(() => new Lambda({ function: shifted, arguments: { by: ops.ones([2]) } }).getConfig()).toThrow(
      'cannot be saved',
    )
  })

  it('receives training and the mask, and uses the given output shape', () => {
    const seen: unknown[] = []
    const watched = new Lambda((x, { training, mask }) => (seen.push(training, mask !== null), x))
    new Sequential([new Masking({ inputShape: [2, 1] }), watched]).apply([[[1], [0]]], { training: true })
    expect(seen.slice(-2)).toEqual([true, true])
    const told = new Lambda({ function: (x) => x, outputShape: (shape) => [...shape.slice(0, -1), 2] })
    expect(told.computeOutputShape([null, null])).toEqual([null, 2])
  })

  const [a, b] = [Input({ shape: [3] }), Input({ shape: [3] })]
  const rows: [number[][], number[][]] = [[[1, 2, 3]], [[10, 20, 30]]]

  it.each([
    ['nothing', undefined],
    ['the shape of a sample', [3]],
    ['open extents', [null]],
    ['a function of all shapes', ([first]: readonly BatchShape[]) => first!],
  ] as const)('takes a list of inputs, with an output shape given as %s', (_, outputShape) => {
    const total = ([p, q]: readonly Tensor[]): Tensor => ops.add(p!, q!)
    const layer = new Lambda({ function: total, ...(outputShape === undefined ? {} : { outputShape }) })
    expect(layer.apply(rows.map((each) => tensor(each))).toArray()).toEqual([[11, 22, 33]])
    const model = new Model({ inputs: [a, b], outputs: layer.apply([a, b]) })
    expect(model.predictOnBatch(rows).toArray()).toEqual([[11, 22, 33]])
  })

  it('takes a record, gives several outputs, and masks them', () => {
    const total = new Lambda({
      function: ((x: Readonly<Record<string, Tensor>>) => ops.add(x['p']!, x['q']!)) as never,
      outputShape: ((shapes: Readonly<Record<string, BatchShape>>) => shapes['p']!) as never,
      mask: ((_x: unknown, masks: Readonly<Record<string, Tensor>>) => masks['p'] ?? null) as never,
    })
    const p = new Masking().apply(Input({ shape: [2, 1] }))
    const made = total.apply({ p, q: Input({ shape: [2, 1] }) })
    expect(made.shape).toEqual([null, 2, 1])
    const masked = new Masking().apply(tensor([[[0], [1]]]))
    const output = total.apply({ p: masked, q: tensor([[[3], [4]]]) })
    expect(maskOf(output)?.toArray()).toEqual([[false, true]])
    const both = new Lambda({ function: (x) => [x, ops.sum(x, 1)], outputShape: (shape) => [shape, [null]] })
    expect((both.apply(a) as unknown as Tensor[]).map(({ shape }) => shape)).toEqual([[null, 3], [null]])
  })

  it.each([
    ['another extent', [7], '[null, 7]', '[1, 7]'],
    ['more axes', [3, 1], '[null, 3, 1]', '[1, 3, 1]'],
    ['no shape', () => [], '[]', '[]'],
  ])('refuses an outputShape of %s than the function gives', (_, outputShape, onSymbols, onData) => {
    const layer = (): Lambda => new Lambda({ function: (x) => x, name: 'same', outputShape })
    const message = (said: string, given: string): string =>
      `Lambda "same": outputShape declares ${said}, but the function returns ${given}. Correct outputShape, or leave it out.`
    expect(() => layer().apply(a)).toThrow(message(onSymbols, '[null, 3]'))
    expect(() => layer().apply([[1, 2, 3]])).toThrow(message(onData, '[1, 3]'))
  })
})

describe('Masking', () => {
  it('marks steps for the following layers', () => {
    const x = Input({ shape: [3, 1] })
    const masked = new Masking({ maskValue: -1 }).apply(x)
    const model = new Model({ inputs: x, outputs: new Dense({ units: 1 }).apply(masked) })
    expect(maskOf(model.apply([[[1], [-1], [0]]]))?.toArray()).toEqual([[true, false, true]])
  })
})

describe('Wrapper', () => {
  class Twice extends Wrapper {
    static readonly className = 'Twice'
    call(x: Tensor): Tensor {
      return this.layer.apply(this.layer.apply(x))
    }
  }

  it('has the weights of its layer, and is saved with it', async () => {
    const model = new Sequential([
      new Twice({ layer: new Dense({ units: 2, name: 'inner' }), name: 'twice', inputShape: [2] }),
    ])
    expect(model.weights.map(({ name }) => name)).toEqual(['twice/inner/kernel', 'twice/inner/bias'])
    const copy = await loadModel(await model.save(), { customObjects: { Twice } })
    expect(copy.predictOnBatch([[1, 2]]).data).toEqual(model.predictOnBatch([[1, 2]]).data)
    const config = new Twice(new Dense(3)).getConfig()
    const again = customObjectScope({ ...layers.all, Twice }, () => layers.get({ className: 'Twice', config }))
    expect(again.sublayers[0]).toBeInstanceOf(Dense)
    const wrong = () => layers.get({ className: 'Twice', config: { layer: 3 } })
    expect(() => customObjectScope({ Twice }, wrong)).toThrow('layer must be a layer, received 3')
  })
})
