// Infers the types of a loop's results and checks its operands against its body.

import { formatShape, internalError } from '../../core/errors'
import { sameShape, type TensorType } from '../../core/shapes'
import type { LoopAttributes } from './attributes'

const CONDITION: TensorType = { shape: [], dtype: 'bool' }

function requireType(what: string, received: TensorType | undefined, expected: TensorType): void {
  if (received !== undefined && received.dtype === expected.dtype && sameShape(received.shape, expected.shape)) return
  const text = received === undefined ? 'nothing' : `${received.dtype} ${formatShape(received.shape)}`
  throw internalError(`loop: ${what} must be ${expected.dtype} ${formatShape(expected.shape)}, received ${text}`)
}

/** [...carries, ...slices, ...captures] → [...carries, ...stacked results] for `length` iterations. */
export function inferLoop(
  inputs: readonly TensorType[],
  { body, length, carries, scanned, runs }: LoopAttributes,
): readonly TensorType[] {
  const { parameters, outputs } = body
  if (inputs.length !== parameters.length) {
    throw internalError(`loop: the body takes ${parameters.length} operands, received ${inputs.length}`)
  }
  parameters.forEach((type, i) => {
    const isScanned = i >= carries && i < carries + scanned
    requireType(`operand ${i}`, inputs[i], isScanned ? { shape: [length, ...type.shape], dtype: type.dtype } : type)
  })
  if (runs !== undefined) requireType('the condition', parameters[runs === 'while' ? 0 : carries], CONDITION)
  for (let i = 0; i < carries; i++) requireType(`the next value of carry ${i}`, outputs[i], parameters[i]!)
  return outputs.map(({ shape, dtype }, i) => ({ shape: i < carries ? shape : [length, ...shape], dtype }))
}
