// The errors of layers and when they are thrown: when a layer is made or applied, not when data come or training
// begins.
// modes: simd
import { describe, expect, it } from 'vitest'
import {
  AdditiveAttention,
  Attention,
  BatchNormalization,
  Bidirectional,
  Concatenate,
  Constraint,
  ConvLSTM2D,
  Conv2D,
  Cropping2D,
  Dense,
  GRU,
  GlobalAveragePooling1D,
  GroupNormalization,
  Input,
  LSTM,
  Layer,
  Model,
  MultiHeadAttention,
  PReLU,
  SeparableConv2D,
  Sequential,
  ShapeError,
  TimeDistributed,
  ops,
  type CallContext,
  type Tensor,
} from '../../src'
import type { LayerTraits } from '../../src/layers/traits'

const mask = (...shape: number[]): Tensor => ops.ones(shape, 'bool')
const name = 'x'

describe('inputs that do not fit the weights', () => {
  it.each<[string, Layer, Tensor, Tensor, string]>([
    [
      'GRU',
      new GRU({ units: 2, name }),
      ops.ones([2, 3, 4]),
      ops.ones([2, 3, 5]),
      'GRU "x": the last input dimension must be 4, received [2, 3, 5]',
    ],
    [
      'Bidirectional',
      new Bidirectional({ layer: new LSTM(2), name }),
      ops.ones([2, 3, 4]),
      ops.ones([2, 3, 5]),
      'Bidirectional "x": the last input dimension must be 4, received [2, 3, 5]',
    ],
    [
      'GroupNormalization',
      new GroupNormalization({ groups: 2, axis: 1, name }),
      ops.ones([2, 4, 3]),
      ops.ones([2, 6, 3]),
      'GroupNormalization "x": axis 1 of the input must be 4, received [2, 6, 3]',
    ],
    [
      'PReLU',
      new PReLU({ sharedAxes: [2], name }),
      ops.ones([2, 4, 3]),
      ops.ones([2, 5, 9]),
      'PReLU "x": axis 1 of the input must be 4, received [2, 5, 9]',
    ],
    [
      'PReLU with more axes',
      new PReLU({ name }),
      ops.ones([2, 4]),
      ops.ones([2, 3, 4]),
      'PReLU "x": the input must have 2 axes, received [2, 3, 4]',
    ],
    [
      'MultiHeadAttention',
      new MultiHeadAttention({ numHeads: 2, keyDim: 2, name }) as unknown as Layer,
      ops.ones([2, 3, 4]),
      ops.ones([2, 3, 5]),
      'MultiHeadAttention "x": the last input dimension must be 4, received [2, 3, 5]',
    ],
    [
      'SeparableConv2D',
      new SeparableConv2D({ filters: 2, kernelSize: 2, name }),
      ops.ones([1, 3, 3, 2]),
      ops.ones([1, 3, 3, 3]),
      'SeparableConv2D "x": the last input dimension must be 2, received [1, 3, 3, 3]',
    ],
    [
      'Conv2D with channels first',
      new Conv2D({ filters: 2, kernelSize: 2, dataFormat: 'channelsFirst', name }),
      ops.ones([1, 2, 3, 3]),
      ops.ones([1, 3, 3, 3]),
      'Conv2D "x": axis 1 of the input must be 2, received [1, 3, 3, 3]',
    ],
  ])('%s', (_title, layer, first, second, message) => {
    layer.apply(first)
    expect(() => layer.apply(second)).toThrow(new RegExp(`^${message.replace(/[[\]".]/g, '\\$&')}$`))
    const [, ...shape] = second.shape
    expect(() => layer.apply(Input({ shape }))).toThrow(message.replace(/received \[\d+/, 'received [null'))
  })

  it('the error names the called layer, then the inner one', () => {
    const inside = new TimeDistributed({ layer: new Conv2D({ filters: 1, kernelSize: 2, name: 'conv' }), name })
    expect(() => inside.apply(ops.ones([2, 3, 4, 5]))).toThrow(
      'TimeDistributed "x": Conv2D "conv": the input must be [batch, rows, columns, channels], received [null, 4, 5]',
    )
    expect(() => new TimeDistributed({ layer: new Dense(2), name }).apply(ops.ones([2, 3]))).toThrow(
      'TimeDistributed "x": the input must be [batch, steps, …] with at least 3 axes, received [null, 3]',
    )
    expect(() => new ConvLSTM2D({ filters: 1, kernelSize: 5, name }).apply(ops.ones([1, 2, 3, 3, 1]))).toThrow(
      /^ConvLSTM2D "x": /,
    )
  })

  it('Cropping reports how much it cuts', () => {
    expect(() =>
      new Cropping2D({
        cropping: [
          [1, 2],
          [0, 0],
        ],
        name,
      }).apply(ops.ones([1, 3, 3, 1])),
    ).toThrow('Cropping2D "x": nothing would be left of [1, 3, 3, 1] without [[1, 2], [0, 0]] at its sides')
  })
})

describe('constraints are checked when the weight is made', () => {
  class Flat extends Constraint {
    static readonly className = 'Flat'
    call(w: Tensor): Tensor {
      return ops.sum(w, 0)
    }
  }

  it.each<[string, () => Layer, RegExp]>([
    [
      'a bad axis',
      () => new Dense({ units: 2, kernelConstraint: { className: 'MaxNorm', config: { axis: 2 } }, name }),
      /^Dense "x": the constraint MaxNorm of kernel \[3, 2\]: .*axis must be in −2 … 1, received 2/,
    ],
    [
      'of a bias',
      () => new Dense({ units: 2, biasConstraint: { className: 'UnitNorm', config: { axis: 1 } }, name }),
      /^Dense "x": the constraint UnitNorm of bias \[2\]: .*received 1/,
    ],
    [
      'another shape',
      () => new Dense({ units: 2, kernelConstraint: new Flat(), name }),
      /^Dense "x": the constraint Flat of kernel \[3, 2\] must give a tensor of this shape, received shape \[2\]$/,
    ],
  ])('%s', (_title, make, message) => {
    expect(() => make().apply(Input({ shape: [3] }))).toThrow(message)
    expect(() => new Sequential([make()]).predictOnBatch(ops.ones([1, 3]))).toThrow(message)
  })
})

describe('masks', () => {
  const x = ops.ones([2, 3, 4])
  it.each<[string, () => unknown, string]>([
    [
      'BatchNormalization',
      () => new BatchNormalization({ name }).apply(x, { mask: mask(2, 4) }),
      'BatchNormalization "x": the mask must be [the axes of the input but the last], here [2, 3], received [2, 4]',
    ],
    [
      'GlobalAveragePooling1D',
      () => new GlobalAveragePooling1D({ name }).apply(x, { mask: mask(2, 4) }),
      'GlobalAveragePooling1D "x": the mask must be [batch, steps], here [2, 3], received [2, 4]',
    ],
    [
      'TimeDistributed',
      () => new TimeDistributed({ layer: new Dense(2), name }).apply(x, { mask: mask(1, 3) }),
      'TimeDistributed "x": the mask must be [batch, steps, …], here [2, 3], received [1, 3]',
    ],
    [
      'Concatenate',
      () => new Concatenate({ name }).apply([x, x], { mask: [mask(2, 3), mask(2, 5)] }),
      'Concatenate "x": the mask of input[1] must be',
    ],
    [
      'one mask for two inputs',
      () => new Concatenate({ name }).apply([x, x], { mask: mask(2, 3) }),
      'Concatenate "x": the mask: expected an array of 2, received Tensor',
    ],
    [
      'two masks for one input',
      () => new LSTM({ units: 2, name }).apply(x, { mask: [mask(2, 3), mask(2, 3)] }),
      'LSTM "x": the mask must be one, as there is one input, received a list of 2',
    ],
    [
      'Attention',
      () => new Attention({ name }).apply([x, x], { mask: mask(2, 3) }),
      'Attention "x": the mask must be a list, [queryMask, valueMask], where null stands for none; received a tensor [2, 3]',
    ],
    [
      'AdditiveAttention',
      () => new AdditiveAttention({ name }).apply([x, x], { mask: [mask(2, 3)] }),
      'the mask must be a list, [queryMask, valueMask], where null stands for none; received a list of 1',
    ],
    [
      'MultiHeadAttention',
      () => new MultiHeadAttention({ numHeads: 1, keyDim: 2, name }).apply([x, x, x], { mask: mask(2, 3) }),
      'the mask must be a list, [queryMask, valueMask] or [queryMask, valueMask, keyMask], where null stands for none; received a tensor [2, 3]',
    ],
    [
      'of the value',
      () => new MultiHeadAttention({ numHeads: 1, keyDim: 2, name }).apply([x, x], { mask: [null, mask(2, 7)] }),
      'MultiHeadAttention "x": the mask of input[1] must be [batch, steps], here [2, 3], received [2, 7]',
    ],
  ])('%s', (_title, call, message) => {
    expect(call).toThrow(message)
  })

  it('of query and value apply, with a key as well', () => {
    const value = ops.reshape(ops.arange(0, 24, 1, 'float32'), [2, 3, 4])
    const first = ops.equal(ops.add(ops.zeros([2, 3]), ops.arange(3)), 0)
    for (const inputs of [
      [x, value],
      [x, value, x],
    ]) {
      const y = new Attention().apply(inputs, { mask: [null, first] })
      expect([...y.data].slice(0, 4)).toEqual([0, 1, 2, 3])
    }
  })
})

describe('arguments on symbols are checked at once', () => {
  const x = Input({ shape: [3, 4] })
  const state = Input({ shape: [5] })
  it.each<[string, () => unknown, string]>([
    [
      'a state of another size',
      () => new GRU({ units: 2, name }).apply(x, { initialState: [state] }),
      'GRU "x": initialState[0] must be [2, 2], received [2, 5]',
    ],
    [
      'too many states',
      () => new GRU({ units: 5, name }).apply(x, { initialState: [state, state] }),
      'GRU "x": initialState must be 1 tensors, received 2',
    ],
    [
      'a state with data',
      () => new GRU({ units: 2, name }).apply(x, { initialState: [ops.ones([7, 5])] }),
      'GRU "x": initialState[0] must be [2, 2], received [2, 5]',
    ],
    [
      'a mask',
      () => new GRU({ units: 2, name }).apply(x, { mask: Input({ shape: [4], dtype: 'bool' }) }),
      'GRU "x": the mask must be [batch, steps], here [2, 3], received [2, 4]',
    ],
    [
      'a mask of another structure',
      () => new Attention({ name }).apply([x, x], { mask: Input({ shape: [3], dtype: 'bool' }) }),
      'Attention "x": the mask must be a list',
    ],
    [
      'attentionMask',
      () =>
        new MultiHeadAttention({ numHeads: 1, keyDim: 2, name }).apply(x, { attentionMask: Input({ shape: [3, 9] }) }),
      'MultiHeadAttention "x": attentionMask must be',
    ],
  ])('%s', (_title, call, message) => {
    expect(call).toThrow(message)
  })

  it('valid ones work with any open extents', () => {
    const open = Input({ shape: [null, 4] })
    const counts = Input({ shape: [null], dtype: 'bool' })
    const seven = Input({ shape: [7], dtype: 'bool' })
    const layer = new GRU({ units: 5 })
    const model = new Model({
      inputs: [open, counts, state],
      outputs: layer.apply(open, { mask: counts, initialState: [state] }),
    })
    expect(model.predictOnBatch([ops.ones([3, 6, 4]), mask(3, 6), ops.zeros([3, 5])]).shape).toEqual([3, 5])
    expect(layer.apply(open, { mask: seven }).shape).toEqual([null, 5])
    // data for batches of a fixed size
    const fixed = new Model({
      inputs: open,
      outputs: layer.apply(open, { initialState: [ops.ones([3, 5])], mask: mask(3, 6) }),
    })
    expect(fixed.predictOnBatch(ops.ones([3, 6, 4])).shape).toEqual([3, 5])
    const pairs = new MultiHeadAttention({ numHeads: 1, keyDim: 2 }).apply(x, { attentionMask: mask(4, 3, 3) })
    expect(pairs.shape).toEqual([null, 3, 4])
  })
})

describe('options of a call', () => {
  it('unknown ones are refused', () => {
    expect(() => new Dense({ units: 2, name }).apply(ops.ones([2, 3]), { initialState: [ops.ones([2, 2])] })).toThrow(
      'Dense "x": takes no initialState; its call accepts training, mask',
    )
    expect(() => new GRU({ units: 2, name }).apply(ops.ones([2, 3, 4]), { useCausalMask: true })).toThrow(
      'GRU "x": takes no useCausalMask; its call accepts training, mask, initialState',
    )
    expect(() =>
      new Dense({ units: 2, name }).apply(ops.ones([2, 3]), { initialState: null, useCausalMask: false }),
    ).not.toThrow()
  })

  it('custom ones are suggested by name', () => {
    class Started extends Layer {
      static override readonly traits: LayerTraits<Started> = { callOptions: ['initialState'] }
      call(x: Tensor, { initialState }: CallContext): Tensor {
        return initialState === null ? x : ops.add(x, initialState as Tensor)
      }
    }
    expect([...new Started().apply(ops.ones([2]), { initialState: ops.ones([2]) }).data]).toEqual([2, 2])
  })
})

describe('a trait that a class defines as a member', () => {
  class Checked extends Layer {
    checkShape(): void {}
    call(x: Tensor): Tensor {
      return x
    }
  }
  class Typed extends Layer {
    override get inputDtype(): 'int32' {
      return 'int32'
    }
    call(x: Tensor): Tensor {
      return x
    }
  }
  class Inheriting extends Checked {}

  it.each([
    ['a method', Checked, 'Checked: the member checkShape has no effect.'],
    ['a getter', Typed, 'Typed: the member inputDtype has no effect.'],
    ['of its base', Inheriting, 'Checked: the member checkShape has no effect.'],
  ])('%s', (_title, of, message) => {
    expect(() => new of()).toThrow(message)
    // The second time, too.
    expect(() => new of()).toThrow(/Declare static traits = \{ (?:checkShape|inputDtype): … \}/)
  })

  it('is read as a trait', () => {
    class Refusing extends Layer {
      static override readonly traits = {
        checkShape() {
          throw new ShapeError('refused')
        },
      }
      call(x: Tensor): Tensor {
        return x
      }
    }
    const layer = new Refusing()
    layer.build([null, 2])
    expect(() => layer.apply(ops.ones([1, 2]))).toThrow('refused')
  })
})
