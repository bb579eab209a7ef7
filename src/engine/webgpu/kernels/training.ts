// The guard and the optimizers' updates on the GPU. The formulas are in assembly/shared/instructions.ts.

import { sizeOf } from '../../../core/shapes'
import type { PrimitiveAttributes } from '../../ir/attributes'
import { float } from '../../ir/instruction'
import { LARGEST } from '../../primitives/training'
import type { RecordFields } from '../dispatch'
import type { GpuKernel } from '../kernel'

/** The buffers of one dispatch: a record has room for these. */
const MOST_BUFFERS = 24
/** The elements of a thread. */
const EACH = 8
const THREADS = 256

const check = `fn check(x: u32, count: u32, most: u32, first: u32) {
let stride = (count + ${EACH - 1}u) / ${EACH}u;
if (first >= stride) { return; }
for (var i = first; i < count; i += stride) { if ((memory[x + i] & 0x7fffffffu) > most) { memory[p.flag] = 1u; } }
}`

/**
 * Sets the flag if an element is not finite or above its limit. Bits are compared, not numbers, because WGSL may assume that all
 * numbers are finite.
 */
const guard: GpuKernel<PrimitiveAttributes['guard']> = {
  lower({ inputs, attributes: { limits }, flag, emit }) {
    const buffers = inputs
      .map((input, i) => ({ input, most: Math.min(limits?.[i] ?? LARGEST, LARGEST) }))
      .filter(({ input }) => sizeOf(input.shape) > 0)
    for (let first = 0; first < buffers.length; first += MOST_BUFFERS) {
      const some = buffers.slice(first, first + MOST_BUFFERS)
      const groups = some.map(({ input }) => Math.ceil(sizeOf(input.shape) / (EACH * THREADS)))
      const fields: Record<string, RecordFields[string]> = { flag }
      some.forEach(({ input, most }, i) => {
        Object.assign(fields, {
          [`x${i}`]: input,
          [`n${i}`]: sizeOf(input.shape),
          [`g${i}`]: groups[i]!,
          [`most${i}`]: float(most),
        })
      })
      const body = some.map(
        (
          _,
          i,
        ) => `if (rest < p.g${i}) { check(p.x${i}, p.n${i}, bitcast<u32>(p.most${i}), rest * ${THREADS}u + thread); return; }
rest -= p.g${i};`,
      )
      emit.groups(
        groups.reduce((sum, count) => sum + count, 0),
        {
          fields,
          threads: THREADS,
          functions: { check },
          body: `var rest = group;\n${body.join('\n')}`,
        },
      )
    }
  },
}

const floats = (numbers: Readonly<Record<string, number>>): RecordFields =>
  Object.fromEntries(Object.entries(numbers).map(([name, x]) => [name, float(x)]))

const sgd: GpuKernel<PrimitiveAttributes['sgd']> = {
  inPlace: () => [
    [0, 0],
    [1, 3],
  ],
  lower({
    inputs: [parameters, gradient, rate, velocity],
    outputs: [out, velocityOut],
    attributes: { momentum, nesterov, weightDecay },
    emit,
  }) {
    const moved = nesterov ? 'decayed + p.momentum * v - step' : 'decayed + v'
    const end =
      velocity === undefined
        ? 'storeF32(p.out + index, flushState(decayed - step));'
        : `let v = flushState(p.momentum * f32At(p.velocity + index) - step);
storeF32(p.velocityOut + index, v);
storeF32(p.out + index, flushState(${moved}));`
    emit.over(sizeOf(parameters!.shape), {
      fields: { parameters, gradient, rate, velocity, out, velocityOut, ...floats({ momentum, weightDecay }) },
      body: `let rate = flushFactor(f32At(p.rate));
let before = f32At(p.parameters + index);
let decayed = before - before * (rate * p.weightDecay);
let step = rate * flushFactor(f32At(p.gradient + index));
${end}`,
    })
  },
}

const rmsprop: GpuKernel<PrimitiveAttributes['rmsprop']> = {
  inPlace: () => [
    [0, 0],
    [1, 3],
    [2, 4],
    [3, 5],
  ],
  lower({
    inputs: [parameters, gradient, rate, square, ...slots],
    outputs: [out, squareOut, ...slotsOut],
    attributes: { rho, momentum, epsilon, centered, weightDecay },
    emit,
  }) {
    const [average, averageOut] = centered ? [slots[0], slotsOut[0]] : []
    const [velocity, velocityOut] = momentum > 0 ? [slots.at(-1), slotsOut.at(-1)] : []
    const centre = `let a = flushState(p.rho * f32At(p.average + index) + (1.0 - p.rho) * g);
storeF32(p.averageOut + index, a);
d = max(d - a * a, 0.0);`
    const moved = `u = flushState(u + p.momentum * f32At(p.velocity + index));
storeF32(p.velocityOut + index, u);`
    emit.over(sizeOf(parameters!.shape), {
      fields: {
        parameters,
        gradient,
        rate,
        square,
        average,
        velocity,
        out,
        squareOut,
        averageOut,
        velocityOut,
        ...floats({ rho, momentum, epsilon, weightDecay }),
      },
      body: `let rate = flushFactor(f32At(p.rate));
let g = f32At(p.gradient + index);
let before = f32At(p.parameters + index);
let s = flushState(p.rho * f32At(p.square + index) + (1.0 - p.rho) * squareOf(g));
storeF32(p.squareOut + index, s);
var d = s;
${centered ? centre : ''}
var u = rate * flushFactor(g) / sqrtOf(d + p.epsilon);
${momentum > 0 ? moved : ''}
storeF32(p.out + index, before - before * (rate * p.weightDecay) - u);`,
    })
  },
}

/** 1 − βᵗ = 1 − e^(t ln β) with a small relative error, also where βᵗ is almost 1. */
const oneMinusPower = `fn oneMinusPower(logBeta: f32, t: f32) -> f32 {
let z = logBeta * t;
if (z < -0.5) { return 1.0 - expOf(z); }
return -z * (1.0 + z * (0.5 + z * (0.16666667 + z * (0.041666668 + z * (0.008333334 + z * (0.0013888889 + z * 0.0001984127))))));
}`

const adam: GpuKernel<PrimitiveAttributes['adam']> = {
  inPlace: () => [
    [0, 0],
    [1, 3],
    [2, 4],
  ],
  lower({
    inputs: [parameters, gradient, rate, mean, variance, iterations],
    outputs: [out, meanOut, varianceOut],
    attributes: { beta1, beta2, epsilon, weightDecay },
    emit,
  }) {
    // The rest of β in float32, as in the tape.
    const rest1 = 1 - Math.fround(beta1)
    const rest2 = 1 - Math.fround(beta2)
    const log1 = Math.log1p(-rest1)
    const log2 = Math.log1p(-rest2)
    emit.over(sizeOf(parameters!.shape), {
      fields: {
        parameters,
        gradient,
        rate,
        mean,
        variance,
        iterations,
        out,
        meanOut,
        varianceOut,
        ...floats({ rest1, rest2, log1, log2, epsilon, weightDecay }),
      },
      body: `let rate = flushFactor(f32At(p.rate));
let t = f32(clamp(i32At(p.iterations), 0i, 2147483646i) + 1i);
let alpha = rate * sqrtOf(oneMinusPower(p.log2, t)) / oneMinusPower(p.log1, t);
let g = f32At(p.gradient + index);
let before = f32At(p.parameters + index);
let m = f32At(p.mean + index);
let v = f32At(p.variance + index);
let mean = flushState(m + p.rest1 * (g - m));
let variance = flushState(v + p.rest2 * (squareOf(g) - v));
storeF32(p.meanOut + index, mean);
storeF32(p.varianceOut + index, variance);
storeF32(p.out + index, before - before * (rate * p.weightDecay) - alpha * mean / (sqrtOf(variance) + p.epsilon));`,
      functions: { oneMinusPower },
    })
  },
}

export const training = { guard, sgd, rmsprop, adam }
