// Explains the answer of a model for one row.

import { tensor } from 'myelin'
import { integratedGradients, shapleyValues } from 'myelin/explain'
import { sizeOf } from '../data/form'
import type { Reasons } from './protocol'
import type { Run } from './run'

const MOST_FEATURES = 10
const BACKGROUND = 50

export async function reasonsFor({ model, data: { form, train } }: Run, row: Float32Array): Promise<Reasons> {
  const width = sizeOf(form.inputShape)
  const x = tensor(row, [1, ...form.inputShape])
  const answer = await model.predict(x, { verbose: 0 })
  const outputs = Array.from(answer.data as Float32Array)
  const isBinary = form.task.kind === 'classes' && outputs.length === 1
  const unit = form.task.kind === 'number' ? null : isBinary ? 1 : outputs.indexOf(Math.max(...outputs))
  const output = outputs.length === 1 ? 0 : unit!
  // A black image, or the mean row.
  const baseline =
    form.kind === 'image'
      ? 0
      : tensor(
          Float32Array.from({ length: width }, (_, i) => {
            let sum = 0
            for (let at = i; at < train.x.length; at += width) sum += train.x[at]!
            return sum / train.rows
          }),
          [1, width],
        )
  const found = await integratedGradients(model, x, { output, baseline, tolerance: 1e-3 })
  const rows = Math.min(BACKGROUND, train.rows)
  const background = tensor(train.x.slice(0, rows * width), [rows, ...form.inputShape])
  const shapley = width <= MOST_FEATURES ? await shapleyValues(model, x, { output, background }) : null
  return {
    answer: isBinary ? [1 - outputs[0]!, outputs[0]!] : outputs,
    unit,
    value: found.value.data[0]!,
    base: found.baseValue.data[0]!,
    gradients: Float32Array.from(found.attributions.data),
    shapley: shapley === null ? null : Float32Array.from(shapley.attributions.data),
  }
}
