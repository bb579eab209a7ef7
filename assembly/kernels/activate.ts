// Activations of results of products and convolutions. Relu is applied by the tiles, with a floor; the others in a separate
// pass: they take some twenty instructions per vector, so the additional load and store cost little, and the tiles stay small.

import { Epilogue } from '../shared/opcodes'
import { LEAST_FACTOR } from '../shared/vanishing'
import { step_relu, step_reluToFactor, step_sigmoid, step_sigmoidToFactor, step_tanh, step_tanhToFactor } from './steps/unary'

/** Below this, results are 0: see `rectified`. −∞ for an epilogue that is a separate pass, or none. */
@inline
export function floorOf(epilogue: Epilogue): f32 {
  if (epilogue == Epilogue.Relu) return 0.0
  return epilogue == Epilogue.ReluToFactor ? <f32>LEAST_FACTOR : -Infinity
}

/** values [count] = an activation of themselves: those that the tiles do not know, or relu of long sums. */
export function activate_f32(values: usize, count: i32, epilogue: Epilogue): void {
  if (epilogue == Epilogue.Relu) step_relu(values, values, 0, count, 0)
  else if (epilogue == Epilogue.ReluToFactor) step_reluToFactor(values, values, 0, count, 0)
  else if (epilogue == Epilogue.Sigmoid) step_sigmoid(values, values, 0, count, 0)
  else if (epilogue == Epilogue.SigmoidToFactor) step_sigmoidToFactor(values, values, 0, count, 0)
  else if (epilogue == Epilogue.Tanh) step_tanh(values, values, 0, count, 0)
  else step_tanhToFactor(values, values, 0, count, 0)
}
