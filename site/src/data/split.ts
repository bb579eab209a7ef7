// Rows for training and rows for testing.

import { sizeOf, type DataSet, type Form, type Part } from './form'
import { generator } from '../../../examples/data/statistics.js'

/** One row in five is for testing. */
const TEST_EVERY = 5

/** Every fifth row of a shuffled order is a test row. */
export function divided(
  form: Omit<Form, 'trainRows' | 'testRows'>,
  x: Float32Array,
  y: Float32Array,
  seed = 1,
): DataSet {
  const width = sizeOf(form.inputShape)
  const random = generator(seed)
  const order = Array.from(y, (_, i) => ({ i, at: random() })).sort((a, b) => a.at - b.at)
  const part = (isTest: boolean): Part => {
    const chosen = order.filter((_, i) => (i % TEST_EVERY === 0) === isTest)
    const values = new Float32Array(chosen.length * width)
    chosen.forEach(({ i }, row) => values.set(x.subarray(i * width, (i + 1) * width), row * width))
    return { x: values, y: Float32Array.from(chosen, ({ i }) => y[i]!), rows: chosen.length }
  }
  const [train, test] = [part(false), part(true)]
  return { form: { ...form, trainRows: train.rows, testRows: test.rows }, train, test }
}
