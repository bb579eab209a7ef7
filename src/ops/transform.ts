// Transformations of functions of ops: gradients and compilation.

import { ArgumentError } from '../core/errors'
import type { Program } from '../runtime/program'
import type { TensorLike } from './convert'
import { asTensor } from './convert'

import { Tensor } from './tensor'
import { compileTraced, currentTrace, runProgram, trace } from './trace'

/** A function of tensors, written with ops. */
export type TensorFunction = (...inputs: Tensor[]) => Tensor

export interface GradOptions {
  /** Which arguments to differentiate with respect to. Default: the first. */
  readonly argnums?: readonly number[]
}

/** Traces a function, runs it once on data and forgets it. */
export function evaluateOnce(inputs: readonly Tensor[], body: (symbols: Tensor[]) => readonly Tensor[]): Tensor[] {
  const program = compileTraced(trace(inputs, body))
  try {
    return runProgram(program, inputs)
  } finally {
    program.dispose()
  }
}

function valueAndGradients(fn: TensorFunction, argnums: readonly number[], inputs: readonly Tensor[]): Tensor[] {
  const body = (symbols: readonly Tensor[]): Tensor[] => {
    const value = fn(...symbols)
    const wrt = argnums.map((i) => {
      const symbol = symbols[i]
      if (symbol === undefined) throw new ArgumentError(`grad: there is no argument ${i}, received ${symbols.length}`)
      return symbol
    })
    return [value, ...currentTrace()!.gradients(value, wrt)]
  }
  return currentTrace() === null ? evaluateOnce(inputs, body) : body(inputs)
}

function toTensors(inputs: readonly TensorLike[]): Tensor[] {
  return inputs.map((input, i) => asTensor(input, `argument ${i}`))
}

/**
 * The gradient of a scalar function: grad(f)(x) = ∂f/∂x, of x's shape. May be nested.
 * @throws ArgumentError when the function's result is not a float32 scalar
 */
export function grad(fn: TensorFunction): (...inputs: TensorLike[]) => Tensor
export function grad(fn: TensorFunction, options: Required<GradOptions>): (...inputs: TensorLike[]) => Tensor[]
export function grad(fn: TensorFunction, options?: GradOptions) {
  const argnums = options?.argnums
  return (...inputs: TensorLike[]) => {
    const [, ...gradients] = valueAndGradients(fn, argnums ?? [0], toTensors(inputs))
    return argnums === undefined ? gradients[0]! : gradients
  }
}

/** A scalar function's value and its gradient: valueAndGrad(f)(x) = [f(x), ∂f/∂x]. */
export function valueAndGrad(fn: TensorFunction): (...inputs: TensorLike[]) => [Tensor, Tensor]
export function valueAndGrad(fn: TensorFunction, options: Required<GradOptions>): (...inputs: TensorLike[]) => [Tensor, Tensor[]]
export function valueAndGrad(fn: TensorFunction, options?: GradOptions) {
  const argnums = options?.argnums
  return (...inputs: TensorLike[]) => {
    const [value, ...gradients] = valueAndGradients(fn, argnums ?? [0], toTensors(inputs))
    return [value!, argnums === undefined ? gradients[0]! : gradients]
  }
}

/**
 * Compiles a function of ops: traced once for each combination of input shapes and dtypes, then run as one
 * tape. What the function reads besides its arguments, variables excepted, is fixed by the first call.
 */
export function jit<Inputs extends Tensor[]>(fn: (...inputs: Inputs) => Tensor): (...inputs: { [I in keyof Inputs]: TensorLike }) => Tensor {
  const programs = new Map<string, Program>()
  return (...inputs) => {
    const tensors = toTensors(inputs)
    // Inside another trace the function is simply a part of it.
    if (currentTrace() !== null) return call(fn, tensors)
    const key = tensors.map(({ dtype, shape }) => `${dtype}[${shape.join()}]`).join(' ')
    let program = programs.get(key)
    if (program === undefined) {
      program = compileTraced(trace(tensors, (symbols) => [call(fn, symbols)]))
      programs.set(key, program)
    }
    return runProgram(program, tensors)[0]!
  }
}

function call<Inputs extends Tensor[]>(fn: (...inputs: Inputs) => Tensor, tensors: Tensor[]): Tensor {
  const result = fn(...(tensors as Inputs))
  if (result instanceof Tensor) return result
  throw new ArgumentError(`jit: the function must return a Tensor, received ${typeof result}`)
}
