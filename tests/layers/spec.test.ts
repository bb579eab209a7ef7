// TensorSpec: the input and output of a layer before there are data.
// modes: simd
import { describe, expect, it } from 'vitest'
import { Input, Layer, Model, TensorSpec, ops, tensor, type Tensor } from '../../src'

/** The position of the largest element, and its value; `call` is not traced to find the types. */
class Largest extends Layer<Tensor, { position: Tensor; value: Tensor }> {
  override computeOutputSpec({ shape }: TensorSpec) {
    return { position: new TensorSpec(shape.slice(0, -1), 'int32'), value: new TensorSpec(shape.slice(0, -1)) }
  }
  call(x: Tensor) {
    return { position: ops.argmax(x, -1), value: ops.max(x, { axis: -1 }) }
  }
}

describe('TensorSpec', () => {
  it('has a shape, a dtype with default float32, and a name', () => {
    const spec = new TensorSpec([null, 3], 'int32', 'ids')
    expect([spec.shape, spec.dtype, spec.name]).toEqual([[null, 3], 'int32', 'ids'])
    expect(new TensorSpec([2]).dtype).toBe('float32')
    expect(() => new TensorSpec({ shape: [2] } as never)).toThrow(/^TensorSpec: shape must be a list, received/)
  })

  it('gives the dtypes of a layer’s outputs, as data confirm', () => {
    const x = Input({ shape: [5, 3] })
    const { position, value } = new Largest().apply(x)
    expect([position.shape, position.dtype]).toEqual([[null, 5], 'int32'])
    expect([value.shape, value.dtype]).toEqual([[null, 5], 'float32'])
    const model = new Model({ inputs: x, outputs: { position, value } })
    const found = model.predictOnBatch(
      tensor([
        [
          [1, 5, 2],
          [0, 0, 7],
          [3, 1, 1],
          [2, 2, 9],
          [8, 1, 2],
        ],
      ]),
    )
    expect(found.position.toArray()).toEqual([[1, 2, 0, 2, 0]])
    expect(found.position.dtype).toBe('int32')
    expect(found.value.toArray()).toEqual([[5, 7, 3, 9, 8]])
  })
})
