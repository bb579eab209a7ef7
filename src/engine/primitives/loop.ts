// The loop: a region that runs once for each slice of the scanned operands. The region refers to the passes for loops: see
// engine/tape/loop-passes.ts.

import type { LoopAttributes } from '../ir/attributes'
import type { LoopPrimitive } from './rule'

// c₀, xs [T, …], captures → c_T, ys [T, …]  with  (c_{t+1}, y_t) = body(c_t, x_t, captures)
const loop: LoopPrimitive<LoopAttributes> = {
  kind: 'loop',
  vjp: null,
  // the ops of the body check what they compute with
  takesInt8: () => true,
  infer: (inputs, attributes) => attributes.body.infer(inputs, attributes),
}

export const loops = { loop }
