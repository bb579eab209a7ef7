// Activations of results of products and convolutions. Relu is applied by the tiles, with a floor; the others in a separate
// pass: they take some twenty instructions per vector, so the additional load and store cost little, and the tiles stay small.

import { Epilogue } from '../shared/opcodes'
import { LEAST_FACTOR } from '../shared/vanishing'
import { reluToFactor_f32, relu_f32, sigmoidToFactor_f32, sigmoid_f32, tanhToFactor_f32, tanh_f32 } from './steps'

/** Below this, results are 0: see `rectified`. −∞ for an epilogue that is a separate pass, or none. */
@inline
export function floorOf(epilogue: Epilogue): f32 {
  if (epilogue == Epilogue.Relu) return 0.0
  return epilogue == Epilogue.ReluToFactor ? <f32>LEAST_FACTOR : -Infinity
}

/** values [count] = an activation of themselves: those that the tiles do not know, or relu of long sums. */
export function activate_f32(values: usize, count: i32, epilogue: Epilogue): void {
  if (epilogue == Epilogue.Relu) relu_f32(values, values, count)
  else if (epilogue == Epilogue.ReluToFactor) reluToFactor_f32(values, values, count)
  else if (epilogue == Epilogue.Sigmoid) sigmoid_f32(values, values, count)
  else if (epilogue == Epilogue.SigmoidToFactor) sigmoidToFactor_f32(values, values, count)
  else if (epilogue == Epilogue.Tanh) tanh_f32(values, values, count)
  else tanhToFactor_f32(values, values, count)
}
