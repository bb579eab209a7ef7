// Optimizer updates: one pass over all parameters. shared/instructions.ts has the formulas. Never changes the learning
// rate or the iteration count: those are cells that the tape and JS write.

import { partEnd, partStart } from '../parts'
import { Adam, RmsProp, Sgd } from '../shared/instructions'
import { LEAST_FACTOR, LEAST_SQUARED, LEAST_STATE } from '../shared/vanishing'
import { flushed, madd, nmadd, rectified, store_up_to_4 } from '../simd'

// Moments are 0 where they have vanished, so that those of weights without a gradient do not become denormal: the smallest
// denormal number times 0.9 is itself.

/** A new moment, or a weight: SGD with a penalty or weight decay lets it vanish. */
@inline
function kept(x: v128): v128 {
  return flushed(x, f32x4.splat(<f32>LEAST_STATE))
}

/** A new mean of squares, which is not negative. */
@inline
function keptSquare(x: v128): v128 {
  return rectified(x, f32x4.splat(<f32>LEAST_STATE))
}

/** g² for a mean of squares. */
@inline
function squareOf(g: v128): v128 {
  const root = flushed(g, f32x4.splat(<f32>LEAST_SQUARED))
  return f32x4.mul(root, root)
}

/** A gradient that is multiplied with the learning rate. */
@inline
function factor(g: v128): v128 {
  return flushed(g, f32x4.splat(<f32>LEAST_FACTOR))
}

/** A learning rate, which a schedule may let vanish. */
@inline
function rateAt(address: usize): f32 {
  const rate = load<f32>(address)
  return abs(rate) < <f32>LEAST_FACTOR ? 0.0 : rate
}

/** Stores four lanes, or the first `n` at the end of a loop. */
@inline
function storeStep(pointer: usize, value: v128, isEnd: bool, n: i32): void {
  if (isEnd) store_up_to_4(pointer, value, n)
  else v128.store(pointer, value)
}

/** Four parameters, or the first `n`. */
@inline
function sgdStep(
  parameters: usize, parametersOut: usize, gradient: usize, velocity: usize, velocityOut: usize, isEnd: bool, n: i32,
  withVelocity: bool, nesterov: bool, lr: v128, momentum: v128, decay: v128,
): void {
  const before = v128.load(parameters)
  let p = nmadd(before, decay, before)
  const step = f32x4.mul(lr, factor(v128.load(gradient)))
  if (withVelocity) {
    const v = kept(f32x4.sub(f32x4.mul(momentum, v128.load(velocity)), step))
    p = nesterov ? f32x4.sub(madd(momentum, v, p), step) : f32x4.add(p, v)
    storeStep(velocityOut, v, isEnd, n)
  } else {
    p = f32x4.sub(p, step)
  }
  storeStep(parametersOut, kept(p), isEnd, n)
}

// One loop per form of the update, without a branch in it: see steps/loops.ts. The addresses are read before the
// loop, where the engine could not prove that no store changes them.
@inline
function sgdLoop(instruction: usize, first: i32, end: i32, withVelocity: bool, nesterov: bool): void {
  const parameters = load<usize>(instruction, Sgd.parameters)
  const parametersOut = load<usize>(instruction, Sgd.parametersOut)
  const gradient = load<usize>(instruction, Sgd.gradient)
  const velocity = load<usize>(instruction, Sgd.velocity)
  const velocityOut = load<usize>(instruction, Sgd.velocityOut)
  const learningRate = rateAt(load<usize>(instruction, Sgd.learningRate))
  const momentum = v128.load32_splat(instruction, Sgd.momentum)
  const lr = f32x4.splat(learningRate)
  const decay = f32x4.splat(learningRate * load<f32>(instruction, Sgd.weightDecay))
  const whole = <usize>(end >> 2) << 4
  let i = <usize>first << 2
  for (; i < whole; i += 16) {
    sgdStep(
      parameters + i, parametersOut + i, gradient + i, velocity + i, velocityOut + i, false, 4,
      withVelocity, nesterov, lr, momentum, decay,
    )
  }
  if (end & 3) {
    sgdStep(
      parameters + i, parametersOut + i, gradient + i, velocity + i, velocityOut + i, true, end & 3,
      withVelocity, nesterov, lr, momentum, decay,
    )
  }
}

/** Runs an Sgd, or a part of its parameters. */
export function sgd(instruction: usize, part: i32, parts: i32): void {
  const count = load<i32>(instruction, Sgd.count)
  const first = partStart(count, 16, part, parts)
  const end = partEnd(count, 16, part, parts)
  if (!load<usize>(instruction, Sgd.velocity)) sgdLoop(instruction, first, end, false, false)
  else if (load<i32>(instruction, Sgd.nesterov)) sgdLoop(instruction, first, end, true, true)
  else sgdLoop(instruction, first, end, true, false)
}

@inline
function rmsPropStep(
  instruction: usize, i: usize, isEnd: bool, n: i32, centered: bool, withVelocity: bool,
  lr: v128, rho: v128, rest: v128, momentum: v128, epsilon: v128, decay: v128,
): void {
  const g = v128.load(load<usize>(instruction, RmsProp.gradient) + i)
  const p = v128.load(load<usize>(instruction, RmsProp.parameters) + i)
  const s = keptSquare(madd(rho, v128.load(load<usize>(instruction, RmsProp.square) + i), f32x4.mul(rest, squareOf(g))))
  storeStep(load<usize>(instruction, RmsProp.squareOut) + i, s, isEnd, n)
  let d = s
  if (centered) {
    const a = kept(madd(rho, v128.load(load<usize>(instruction, RmsProp.average) + i), f32x4.mul(rest, g)))
    storeStep(load<usize>(instruction, RmsProp.averageOut) + i, a, isEnd, n)
    // A variance that rounding makes negative counts as 0.
    d = f32x4.max(nmadd(a, a, s), f32x4.splat(0.0))
  }
  let u = f32x4.div(f32x4.mul(lr, factor(g)), f32x4.sqrt(f32x4.add(d, epsilon)))
  if (withVelocity) {
    u = kept(madd(momentum, v128.load(load<usize>(instruction, RmsProp.velocity) + i), u))
    storeStep(load<usize>(instruction, RmsProp.velocityOut) + i, u, isEnd, n)
  }
  storeStep(load<usize>(instruction, RmsProp.parametersOut) + i, f32x4.sub(nmadd(p, decay, p), u), isEnd, n)
}

@inline
function rmsPropLoop(instruction: usize, first: i32, end: i32, centered: bool, withVelocity: bool): void {
  const learningRate = rateAt(load<usize>(instruction, RmsProp.learningRate))
  const rhoValue = load<f32>(instruction, RmsProp.rho)
  const rho = f32x4.splat(rhoValue)
  const rest = f32x4.splat(1.0 - rhoValue)
  const momentum = v128.load32_splat(instruction, RmsProp.momentum)
  const epsilon = v128.load32_splat(instruction, RmsProp.epsilon)
  const lr = f32x4.splat(learningRate)
  const decay = f32x4.splat(learningRate * load<f32>(instruction, RmsProp.weightDecay))
  const whole = <usize>(end >> 2) << 4
  for (let i = <usize>first << 2; i < whole; i += 16) {
    rmsPropStep(instruction, i, false, 4, centered, withVelocity, lr, rho, rest, momentum, epsilon, decay)
  }
  if (end & 3) {
    rmsPropStep(
      instruction, whole, true, end & 3, centered, withVelocity, lr, rho, rest, momentum, epsilon, decay,
    )
  }
}

/** Runs an RmsProp, or a part of its parameters. */
export function rmsProp(instruction: usize, part: i32, parts: i32): void {
  const count = load<i32>(instruction, RmsProp.count)
  const first = partStart(count, 16, part, parts)
  const end = partEnd(count, 16, part, parts)
  const withVelocity = load<usize>(instruction, RmsProp.velocity) != 0
  if (load<usize>(instruction, RmsProp.average)) {
    if (withVelocity) rmsPropLoop(instruction, first, end, true, true)
    else rmsPropLoop(instruction, first, end, true, false)
  } else if (withVelocity) {
    rmsPropLoop(instruction, first, end, false, true)
  } else {
    rmsPropLoop(instruction, first, end, false, false)
  }
}

/** base^n by repeated squaring. */
function integerPower(base: f64, n: i32): f64 {
  let result: f64 = 1.0
  for (; n > 0; n >>= 1) {
    if (n & 1) result *= base
    base *= base
  }
  return result
}

/** The number of the update after `iterations`, in 1 … 2³¹ − 1: 1 − βᵗ is positive. */
@inline
function nextUpdate(iterations: i32): i32 {
  return min(max(iterations, 0), i32.MAX_VALUE - 1) + 1
}

/** a + rest·(x − a) */
@inline
function average(a: v128, x: v128, rest: v128): v128 {
  return madd(rest, f32x4.sub(x, a), a)
}

/** p − decay·p − alpha·m / (√v + epsilon) */
@inline
function adamStep(p: v128, m: v128, v: v128, decay: v128, alpha: v128, epsilon: v128): v128 {
  const update = f32x4.div(f32x4.mul(alpha, m), f32x4.add(f32x4.sqrt(v), epsilon))
  return f32x4.sub(nmadd(p, decay, p), update)
}

/** Runs an Adam, or a part of its parameters. */
export function adam(instruction: usize, part: i32, parts: i32): void {
  const count = load<i32>(instruction, Adam.count)
  const first = partStart(count, 16, part, parts)
  const offset = <usize>first << 2
  let parameters = load<usize>(instruction, Adam.parameters) + offset
  let parametersOut = load<usize>(instruction, Adam.parametersOut) + offset
  let gradient = load<usize>(instruction, Adam.gradient) + offset
  let mean = load<usize>(instruction, Adam.mean) + offset
  let meanOut = load<usize>(instruction, Adam.meanOut) + offset
  let variance = load<usize>(instruction, Adam.variance) + offset
  let varianceOut = load<usize>(instruction, Adam.varianceOut) + offset
  const learningRate = rateAt(load<usize>(instruction, Adam.learningRate))
  const t = nextUpdate(load<i32>(load<usize>(instruction, Adam.iterations)))
  const beta1 = load<f32>(instruction, Adam.beta1)
  const beta2 = load<f32>(instruction, Adam.beta2)
  const correction = sqrt<f64>(1.0 - integerPower(<f64>beta2, t)) / (1.0 - integerPower(<f64>beta1, t))
  const alpha = f32x4.splat(<f32>(<f64>learningRate * correction))
  const rest1 = f32x4.splat(1.0 - beta1)
  const rest2 = f32x4.splat(1.0 - beta2)
  const epsilon = v128.load32_splat(instruction, Adam.epsilon)
  const decay = f32x4.splat(learningRate * load<f32>(instruction, Adam.weightDecay))
  let n = partEnd(count, 16, part, parts) - first
  for (; n >= 4; n -= 4) {
    const g = v128.load(gradient)
    const m = kept(average(v128.load(mean), g, rest1))
    const v = keptSquare(average(v128.load(variance), squareOf(g), rest2))
    v128.store(parametersOut, adamStep(v128.load(parameters), m, v, decay, alpha, epsilon))
    v128.store(meanOut, m)
    v128.store(varianceOut, v)
    parameters += 16
    parametersOut += 16
    gradient += 16
    mean += 16
    meanOut += 16
    variance += 16
    varianceOut += 16
  }
  if (n > 0) {
    const g = v128.load(gradient)
    const m = kept(average(v128.load(mean), g, rest1))
    const v = keptSquare(average(v128.load(variance), squareOf(g), rest2))
    store_up_to_4(parametersOut, adamStep(v128.load(parameters), m, v, decay, alpha, epsilon), n)
    store_up_to_4(meanOut, m, n)
    store_up_to_4(varianceOut, v, n)
  }
}
