// jit for functions whose results are awaited: they may run on the GPU.

import { requireArguments } from '../core/arguments'
import { StateError } from '../core/errors'
import { after, type Soon } from '../core/soon'
import { deviceOf, type Device, type StepProgram } from '../engine/runtime/accelerator'
import type { Program } from '../engine/runtime/program'
import type { UntypedFunction } from './arguments'
import { CallArguments, putBack } from './signature'
import { copyElements, type Tensor } from './tensor'
import { currentTrace, nonFiniteIn, outputOf } from './trace'
import { compiledFunction, type DataArguments, type TensorFunction } from './transform'

/**
 * As `jit`, for a function that is awaited: after `useWebGPU` it runs on the GPU where that is faster. Variables that it changes
 * are back in JavaScript when it resolves.
 *
 *   const energy = jitAsync((x: Tensor, w: Tensor) => ops.sum(ops.square(ops.matmul(x, w))))
 *   const value = await energy(x, w)
 *
 * @throws NonFiniteError if a guard of the function finds NaN or ±Inf; nothing was updated
 */
export function jitAsync<Arguments extends readonly unknown[] = Tensor[], Result = Tensor>(
  fn: TensorFunction<Arguments, Result>,
): (...inputs: DataArguments<Arguments>) => Promise<Result>
export function jitAsync(fn: UntypedFunction): UntypedFunction {
  requireArguments('jitAsync', arguments, 1)
  const compiled = compiledFunction('jitAsync', fn)
  return async (...inputs: readonly unknown[]) => {
    if (currentTrace() !== null)
      throw new StateError('jitAsync: another function that is traced cannot wait for this one. Use jit there.')
    const args = CallArguments.take('jitAsync', inputs)
    const { program, structure } = compiled(args)
    const { tensors } = args
    const load = (target: Pick<StepProgram, 'parameter'>): void =>
      tensors.forEach((tensor, i) => copyElements(tensor, target.parameter(i)))
    const device = deviceOf(args)
    try {
      await device.prepare(program)
      const { finite, outputs } = await runOn(device, program, load)
      const rest = await device.fetch()
      if (finite && rest.finite) return putBack(structure, outputs)
    } finally {
      await device.release()
    }
    load(program)
    throw nonFiniteIn(program)
  }
}

function runOn(
  device: Device,
  program: Program,
  load: (target: Pick<StepProgram, 'parameter'>) => void,
): Soon<{ readonly finite: boolean; readonly outputs: readonly Tensor[] }> {
  return after(device.run(program, load), ({ finite }) => ({
    finite,
    outputs: program.graph.outputs.map((_, i) => outputOf(device.stepProgram(program), i)),
  }))
}
