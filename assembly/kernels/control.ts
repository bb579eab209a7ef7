// SetCount: decides how often a Loop runs its body.

import { Loop, SetCount } from '../shared/instructions'

/** See SetCount in shared/instructions.ts. Has one part. */
export function setCount(instruction: usize, _part: i32, _parts: i32): void {
  const count = load<i32>(load<usize>(instruction, SetCount.when)) ? load<i32>(instruction, SetCount.count) : 0
  store<i32>(instruction + load<usize>(instruction, SetCount.distance), count, Loop.count)
}
