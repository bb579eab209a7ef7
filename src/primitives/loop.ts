// The loop: a region that runs once for each slice of what is scanned. Only its types; what passes do with regions is
// theirs: ir/interpret.ts, ir/differentiate-loop.ts, plan/loop.ts.

import { formatShape, internalError } from '../core/errors'
import type { TensorType } from '../core/shapes'
import { sameShape } from '../core/shapes'
import type { LoopAttributes } from './attributes'
import type { LoopPrimitive } from './rule'

function requireType(what: string, received: TensorType | undefined, expected: TensorType): void {
  if (received !== undefined && received.dtype === expected.dtype && sameShape(received.shape, expected.shape)) return
  const text = received === undefined ? 'nothing' : `${received.dtype} ${formatShape(received.shape)}`
  throw internalError(`loop: ${what} should be ${expected.dtype} ${formatShape(expected.shape)}, received ${text}`)
}

// c₀, xs [T, …], captures → c_T, ys [T, …]  with  (c_{t+1}, y_t) = body(c_t, x_t, captures)
const loop: LoopPrimitive<LoopAttributes> = {
  kind: 'loop',
  vjp: null,
  infer(inputs, { body, length, carries, scanned }) {
    const { parameters, outputs } = body
    if (inputs.length !== parameters.length) {
      throw internalError(`loop: the body takes ${parameters.length} operands, received ${inputs.length}`)
    }
    parameters.forEach((type, i) => {
      const isScanned = i >= carries && i < carries + scanned
      requireType(`operand ${i}`, inputs[i], isScanned ? { shape: [length, ...type.shape], dtype: type.dtype } : type)
    })
    for (let i = 0; i < carries; i++) requireType(`the next value of carry ${i}`, outputs[i], parameters[i]!)
    return outputs.map(({ shape, dtype }, i) => ({ shape: i < carries ? shape : [length, ...shape], dtype }))
  },
}

export const loops = { loop }
