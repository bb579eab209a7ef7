// Primitives that compute element i of the result from element i of each operand. Each is one step of a Chain.

import { Epilogue } from '../../../assembly/shared/opcodes'
import { ArgumentError, internalError } from '../../core/errors'
import type { Emitter } from './emitter'
import type { Value } from '../ir/graph'
import type { ElementwisePrimitive, PrimitiveRule } from './rule'
import type { DType } from '../../core/dtypes'
import { broadcastShapes, sameShape, type TensorType } from '../../core/shapes'
import type { NoAttributes, PrimitiveAttributes, PrimitiveName } from '../ir/attributes'
import * as Step from '../ir/steps'
import { FUNCTION } from './flops'
import * as special from './special'

type Kinds = readonly DType[]

const FLOAT: Kinds = ['float32']
const NUMERIC: Kinds = ['float32', 'int32']
const ANY: Kinds = ['float32', 'int32', 'bool']
const BOOL: Kinds = ['bool']

type Simplify = NonNullable<ElementwisePrimitive<NoAttributes>['simplify']>

/** Options that become fields of the record unchanged. */
interface Declared {
  readonly simplify?: Simplify
  readonly epilogue?: Epilogue
  readonly epilogueAfter?: (epilogue: Epilogue) => Epilogue | null
  readonly bias?: boolean
  readonly vanishes?: boolean | 'repeated'
  readonly proportional?: boolean
  readonly slope?: number
  readonly gate?: number
  readonly moves?: boolean
  readonly traffic?: () => readonly TensorType[]
  readonly ulp?: number
  readonly absolute?: number
  readonly range?: readonly [low: number, high: number]
}

interface Options extends Declared {
  readonly accepts?: Kinds
  /** Floating-point operations for one element. Default 1. */
  readonly flops?: number
  /** The result's dtype; default the operands'. */
  readonly result?: DType
  readonly integerStep?: number
  /** The result for int32, where float64 would lose the low bits. */
  readonly integer?: (a: number, b: number) => number
}

type UnaryVjp = (e: Emitter, dy: Value, x: Value, y: Value) => Value
/** The gradient of one operand. */
type OperandVjp = (e: Emitter, dy: Value, a: Value, b: Value, y: Value) => Value
type BinaryVjp = readonly [OperandVjp | null, OperandVjp | null]

function check(name: string, inputs: readonly TensorType[], accepts: Kinds): void {
  const { dtype } = inputs[0]!
  let isAlike = accepts.includes(dtype)
  for (let i = 1; i < inputs.length; i++) isAlike &&= inputs[i]!.dtype === dtype
  if (isAlike) return
  const received = inputs.map((each) => each.dtype).join(' and ')
  throw new ArgumentError(`${name}: the operands must all be ${accepts.join(' or ')}, received ${received}`)
}

function stepFor(step: number, integerStep: number | undefined, inputs: readonly TensorType[]): number {
  return inputs[0]!.dtype === 'float32' ? step : (integerStep ?? step)
}

/** The record of a primitive without attributes. */
interface RecordOf<Operands extends 1 | 2 | 3> extends ElementwisePrimitive<NoAttributes> {
  readonly operands: Operands
}

function unary(
  step: number,
  scalar: (x: number) => number,
  vjp: UnaryVjp | null,
  { accepts = FLOAT, result, integerStep, integer: _, flops = 1, ...declared }: Options = {},
): RecordOf<1> {
  return {
    kind: 'elementwise',
    operands: 1,
    infer(inputs, _, name) {
      check(name, inputs, accepts)
      return [{ shape: inputs[0]!.shape, dtype: result ?? inputs[0]!.dtype }]
    },
    step: (inputs) => stepFor(step, integerStep, inputs),
    flops,
    scalar: ([x]) => scalar(x!),
    vjp: vjp && (({ e, inputs, outputs, cotangents }) => [vjp(e, cotangents[0]!, inputs[0]!, outputs[0]!)]),
    ...declared,
  }
}

function binary(
  step: number,
  scalar: (a: number, b: number) => number,
  vjp: BinaryVjp | null,
  { accepts = NUMERIC, result, integerStep, integer = scalar, flops = 1, ...declared }: Options = {},
): RecordOf<2> {
  return {
    kind: 'elementwise',
    operands: 2,
    infer(inputs, _, name) {
      check(name, inputs, accepts)
      const shape = broadcastShapes(name, [inputs[0]!.shape, inputs[1]!.shape])
      return [{ shape, dtype: result ?? inputs[0]!.dtype }]
    },
    step: (inputs) => stepFor(step, integerStep, inputs),
    flops,
    scalar: ([a, b], [type]) => (type!.dtype === 'int32' ? integer : scalar)(a!, b!),
    vjp:
      vjp &&
      (({ e, inputs, outputs, cotangents, isWanted }) => {
        return vjp.map((ofOperand, i) =>
          ofOperand !== null && isWanted(i) ? ofOperand(e, cotangents[0]!, inputs[0]!, inputs[1]!, outputs[0]!) : null,
        )
      }),
    ...declared,
  }
}

function comparison(step: number, integerStep: number, holds: (a: number, b: number) => boolean): RecordOf<2> {
  return binary(step, (a, b) => Number(holds(a, b)), null, {
    accepts: ANY,
    result: 'bool',
    integerStep,
    proportional: true,
  })
}

/** Simplifies x ∘ neutral = x (up to the sign of a zero), and neutral ∘ x = x if `commutes` and the shape stays the same. */
function neutral(element: number, commutes: boolean): Simplify {
  return ({ inputs, output, constantNumber }) => {
    const a = inputs[0]!
    const b = inputs[1]!
    if (constantNumber(b) === element && sameShape(a.shape, output.shape)) return a
    if (commutes && constantNumber(a) === element && sameShape(b.shape, output.shape)) return b
    return null
  }
}

const INT32_MAX = 2 ** 31 - 1
const INT32_MIN = -(2 ** 31)

function castStep(from: DType, to: DType): number {
  if (from === to) return Step.copy
  if (to === 'float32') return Step.intToFloat
  if (to === 'int32') return from === 'bool' ? Step.copy : Step.floatToInt
  return from === 'float32' ? Step.floatToBool : Step.intToBool
}

function castScalar(x: number, from: DType, to: DType): number {
  if (to === 'bool') return Number(x !== 0)
  if (to === 'int32' && from === 'float32') {
    return Number.isNaN(x) ? 0 : Math.trunc(Math.min(INT32_MAX, Math.max(INT32_MIN, x)))
  }
  return x
}

const cast: ElementwisePrimitive<PrimitiveAttributes['cast']> = {
  kind: 'elementwise',
  operands: 1,
  infer: ([x], { dtype }) => [{ shape: x!.shape, dtype }],
  step: ([x], { dtype }) => castStep(x!.dtype, dtype),
  flops: 0,
  scalar: ([x], [type], { dtype }) => castScalar(x!, type!.dtype, dtype),
  // int32 and bool have no gradient.
  vjp: ({ cotangents: [dy], inputs: [x] }) => [x!.dtype === 'float32' ? dy! : null],
  simplify: ({ inputs: [x], attributes: { dtype } }) => (x!.dtype === dtype ? x! : null),
}

const select: RecordOf<3> = {
  kind: 'elementwise',
  operands: 3,
  infer(inputs, _, name) {
    const [condition, a, b] = inputs
    check(name, [condition!], BOOL)
    check(name, [a!, b!], ANY)
    return [
      {
        shape: broadcastShapes(
          name,
          inputs.map((input) => input.shape),
        ),
        dtype: a!.dtype,
      },
    ]
  },
  step: () => Step.select,
  flops: 1,
  scalar: ([condition, a, b]) => (condition ? a! : b!),
  vjp: ({ e, inputs: [condition], cotangents: [dy] }) => [
    null,
    e.select(condition!, dy!, 0),
    e.select(condition!, 0, dy!),
  ],
}

/** Ties share the gradient equally, as a ± |a − b| would. */
function extremum(step: number, integerStep: number, scalar: (a: number, b: number) => number) {
  const share = (e: Emitter, dy: Value, x: Value, other: Value, y: Value) =>
    e.select(e.equal(x, y), e.multiply(dy, e.select(e.equal(x, other), 0.5, 1)), 0)
  const vjp: BinaryVjp = [(e, dy, a, b, y) => share(e, dy, a, b, y), (e, dy, a, b, y) => share(e, dy, b, a, y)]
  return binary(step, scalar, vjp, { integerStep })
}

/** The epilogues with a flush of the result. */
const TO_FACTOR: { readonly [Before in Epilogue]?: Epilogue } = {
  [Epilogue.Relu]: Epilogue.ReluToFactor,
  [Epilogue.Sigmoid]: Epilogue.SigmoidToFactor,
  [Epilogue.Tanh]: Epilogue.TanhToFactor,
}
/** The options of a flush, which is part of the step before it. */
const FREE: Options = { flops: 0, traffic: () => [] }

const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI)

/** The records of all elementwise primitives. */
export const elementwise = {
  copy: unary(
    Step.copy,
    (x) => x,
    (_e, dy) => dy,
    { accepts: ANY, flops: 0 },
  ),
  negative: unary(
    Step.negative,
    (x) => -x,
    (e, dy) => e.negative(dy),
    {
      accepts: NUMERIC,
      integerStep: Step.negativeI32,
      moves: true,
    },
  ),
  // d|x| = sign(x) dx
  abs: unary(Step.abs, Math.abs, (e, dy, x) => e.multiply(dy, e.sign(x)), {
    accepts: NUMERIC,
    integerStep: Step.absI32,
  }),
  sign: unary(Step.sign, Math.sign, (e, dy) => e.zeros(dy), { proportional: true }),
  // d eˣ = y dx
  exp: unary(Step.exp, Math.exp, (e, dy, _x, y) => e.slope(dy, y), {
    flops: FUNCTION,
    vanishes: true,
    ulp: 1.3,
    range: [-104, 89],
  }),
  expm1: unary(Step.expm1, Math.expm1, (e, dy, _x, y) => e.multiply(dy, e.add(y, 1)), {
    flops: FUNCTION,
    ulp: 1.8,
    range: [-18, 89],
  }),
  log: unary(Step.log, Math.log, (e, dy, x) => e.divide(dy, x), {
    flops: FUNCTION,
    proportional: true,
    ulp: 1,
    range: [0, 4],
  }),
  log1p: unary(Step.log1p, Math.log1p, (e, dy, x) => e.divide(dy, e.add(x, 1)), {
    flops: FUNCTION,
    ulp: 1,
    range: [-1, 3],
  }),
  // d√x = dx / (2y)
  sqrt: unary(Step.sqrt, Math.sqrt, (e, dy, _x, y) => e.divide(e.multiply(dy, 0.5), y), {
    proportional: true,
    range: [0, 10],
  }),
  // d x^(−1/2) = −y/(2x) dx
  rsqrt: unary(
    Step.rsqrt,
    (x) => 1 / Math.sqrt(x),
    (e, dy, x, y) => e.multiply(dy, e.divide(e.multiply(y, -0.5), x)),
    { flops: 2, proportional: true, ulp: 1.5, range: [0, 10] },
  ),
  // d(1/x) = −y² dx
  reciprocal: unary(
    Step.reciprocal,
    (x) => 1 / x,
    (e, dy, _x, y) => e.negative(e.multiply(dy, e.square(y))),
    { vanishes: true, proportional: true },
  ),
  square: unary(
    Step.square,
    (x) => x * x,
    (e, dy, x) => e.multiply(dy, e.multiply(x, 2)),
    { vanishes: true, proportional: true },
  ),
  sin: unary(Step.sin, Math.sin, (e, dy, x) => e.multiply(dy, e.cos(x)), {
    flops: FUNCTION,
    ulp: 1.65,
    range: [-100, 100],
  }),
  cos: unary(Step.cos, Math.cos, (e, dy, x) => e.negative(e.multiply(dy, e.sin(x))), {
    flops: FUNCTION,
    ulp: 1.65,
    range: [-100, 100],
  }),
  // d tanh(x) = (1 − y²) dx
  tanh: unary(Step.tanh, Math.tanh, (e, dy, _x, y) => e.tanhGradient(y, dy), {
    epilogue: Epilogue.Tanh,
    flops: FUNCTION,
    vanishes: 'repeated',
    ulp: 5.9,
    range: [-9, 9],
  }),
  // dz = (1 − y²) dy as one step instead of three
  tanhGradient: binary(
    Step.tanhGradient,
    (y, dy) => (1 - y) * (1 + y) * dy,
    [(e, dz, y, dy) => e.multiply(e.multiply(dz, dy), e.multiply(y, -2)), (e, dz, y) => e.tanhGradient(y, dz)],
    { accepts: FLOAT, flops: 4, vanishes: true, ulp: 2.6, range: [-1, 1] },
  ),
  // dσ(x) = y (1 − y) dx
  sigmoid: unary(Step.sigmoid, special.sigmoid, (e, dy, _x, y) => e.sigmoidGradient(y, dy), {
    epilogue: Epilogue.Sigmoid,
    flops: FUNCTION,
    vanishes: true,
    ulp: 2.5,
    range: [-104, 90],
  }),
  // dz = y (1 − y) dy
  sigmoidGradient: binary(
    Step.sigmoidGradient,
    (y, dy) => y * (1 - y) * dy,
    [
      (e, dz, y, dy) => e.multiply(e.multiply(dz, dy), e.subtract(1, e.multiply(y, 2))),
      (e, dz, y) => e.sigmoidGradient(y, dz),
    ],
    { accepts: FLOAT, flops: 3, vanishes: true, slope: 0, ulp: 2.1, range: [0, 1] },
  ),
  // d (x Φ(x)) = (Φ(x) + x φ(x)) dx
  gelu: unary(Step.gelu, special.gelu, (e, dy, x) => e.geluGradient(x, dy), {
    flops: 2 * FUNCTION,
    vanishes: true,
    ulp: 5,
    absolute: 1e-37,
    range: [-6.6, 7],
  }),
  // dz = (Φ(x) + x φ(x)) dy, and its derivative by x is (2 − x²) φ(x) dy
  geluGradient: binary(
    Step.geluGradient,
    (x, dy) => special.geluSlope(x) * dy,
    [
      (e, dz, x, dy) =>
        e.multiply(
          e.multiply(dz, dy),
          e.multiply(e.subtract(2, e.square(x)), e.multiply(e.exp(e.multiply(e.square(x), -0.5)), special.NORMAL_PEAK)),
        ),
      (e, dz, x) => e.geluGradient(x, dz),
    ],
    { accepts: FLOAT, flops: 2 * FUNCTION, vanishes: true, ulp: 2, absolute: 7.2e-7, range: [-4, 6] },
  ),
  // x σ(v), v = a x + b x³: d = (σ + σ (1 − σ) x (a + 3b x²)) dx
  geluTanh: unary(
    Step.geluTanh,
    special.geluTanh,
    (e, dy, x) => {
      const { linear, cubic } = special.GELU_TANH
      const squared = e.square(x)
      const gate = e.sigmoid(e.multiply(x, e.add(e.multiply(squared, cubic), linear)))
      // beyond ±16, σ (1 − σ) is 0, but the slope would become infinite
      const slope = e.multiply(x, e.add(e.multiply(squared, 3 * cubic), linear))
      const limited = e.select(e.less(squared, 256), slope, 0)
      return e.add(e.multiply(dy, gate), e.sigmoidGradient(gate, e.multiply(dy, limited)))
    },
    { flops: 2 * FUNCTION, vanishes: true, ulp: 4, range: [-11, 20] },
  ),
  // d log(1 + eˣ) = σ(x) dx
  softplus: unary(Step.softplus, special.softplus, (e, dy, x) => e.slope(dy, e.sigmoid(x)), {
    // an exponential and a logarithm
    flops: 2 * FUNCTION,
    vanishes: true,
    ulp: 2.4,
    range: [-104, 90],
  }),
  // d tanh(log(1 + eˣ)) = (1 − y²) σ(x) dx
  tanhSoftplus: unary(
    Step.tanhSoftplus,
    special.tanhSoftplus,
    (e, dy, x, y) => e.slope(e.tanhGradient(y, dy), e.sigmoid(x)),
    { flops: FUNCTION + 8, vanishes: true, ulp: 4, range: [-104, 90] },
  ),
  // a b, where the gate b is a function of a that is eᵃ far below 0
  gated: binary(Step.gated, special.gated, [(e, dy, _a, b) => e.slope(dy, b), (e, dy, a) => e.multiply(dy, a)], {
    accepts: FLOAT,
    vanishes: true,
    gate: 1,
    ulp: 2,
    range: [-6, 6],
  }),
  // a b, where b is the slope of a function, and a the gradient of its result
  slope: binary(Step.multiply, (a, b) => a * b, [(e, dy, _a, b) => e.slope(dy, b), (e, dy, a) => e.multiply(dy, a)], {
    accepts: FLOAT,
    vanishes: true,
    slope: 1,
  }),
  // |x| < least ? 0 : x
  flushFactor: unary(Step.flushFactor, special.factorOf, null, {
    ...FREE,
    epilogueAfter: (epilogue) => TO_FACTOR[epilogue] ?? null,
  }),
  flushState: unary(Step.flushState, special.stateOf, null, FREE),
  // y > 0 exactly where x > 0, so x need not be kept.
  relu: unary(
    Step.relu,
    (x) => (x < 0 ? 0 : x),
    (e, dy, _x, y) => e.reluGradient(y, dy),
    { epilogue: Epilogue.Relu, vanishes: true },
  ),
  // y > 0 ? dy : 0. As a comparison and a choice it would be two steps, and a tile of zeros to choose from.
  reluGradient: binary(Step.reluGradient, (y, dy) => (y > 0 ? dy : 0), [null, (e, dz, y) => e.reluGradient(y, dz)], {
    accepts: FLOAT,
    vanishes: true,
  }),
  // d erf(x) = 2/√π e^(−x²) dx
  erf: unary(
    Step.erf,
    special.erf,
    (e, dy, x) => e.multiply(dy, e.multiply(e.exp(e.negative(e.square(x))), TWO_OVER_SQRT_PI)),
    { flops: FUNCTION, ulp: 1.3, range: [-4, 4] },
  ),
  // d erf⁻¹(x) = √π/2 e^(y²) dx
  erfInv: unary(
    Step.erfInv,
    special.erfInv,
    (e, dy, _x, y) => e.multiply(dy, e.multiply(e.exp(e.square(y)), 1 / TWO_OVER_SQRT_PI)),
    { flops: FUNCTION, ulp: 2.6, range: [-1, 1] },
  ),
  floor: unary(Step.floor, Math.floor, (e, dy) => e.zeros(dy)),
  ceil: unary(Step.ceil, Math.ceil, (e, dy) => e.zeros(dy)),
  round: unary(Step.round, special.roundHalfEven, (e, dy) => e.zeros(dy)),
  isNaN: unary(Step.isNaN, (x) => Number(Number.isNaN(x)), null, { result: 'bool' }),
  isFinite: unary(Step.isFinite, (x) => Number(Number.isFinite(x)), null, { result: 'bool' }),
  logicalNot: unary(Step.logicalNot, (x) => Number(x === 0), null, { accepts: BOOL }),
  cast,
  add: binary(Step.add, (a, b) => a + b, [(_e, dy) => dy, (_e, dy) => dy], {
    integerStep: Step.addI32,
    bias: true,
    simplify: neutral(0, true),
  }),
  subtract: binary(Step.subtract, (a, b) => a - b, [(_e, dy) => dy, (e, dy) => e.negative(dy)], {
    integerStep: Step.subtractI32,
    simplify: neutral(0, false),
  }),
  multiply: binary(
    Step.multiply,
    (a, b) => a * b,
    [(e, dy, _a, b) => e.multiply(dy, b), (e, dy, a) => e.multiply(dy, a)],
    {
      integerStep: Step.multiplyI32,
      integer: Math.imul,
      simplify: neutral(1, true),
      vanishes: true,
      proportional: true,
    },
  ),
  // d(a/b) = da/b − y/b db
  divide: binary(
    Step.divide,
    (a, b) => a / b,
    [(e, dy, _a, b) => e.divide(dy, b), (e, dy, _a, b, y) => e.negative(e.multiply(e.divide(dy, b), y))],
    { accepts: FLOAT, simplify: neutral(1, false), vanishes: true, proportional: true },
  ),
  // d(aᵇ) = b aᵇ⁻¹ da + aᵇ ln a db, the second term only where a > 0
  power: binary(
    Step.power,
    special.power,
    [
      (e, dy, a, b) => e.multiply(dy, e.select(e.equal(b, 0), 0, e.multiply(b, e.power(a, e.subtract(b, 1))))),
      (e, dy, a, _b, y) =>
        e.multiply(dy, e.select(e.less(0, a), e.multiply(y, e.log(e.select(e.less(0, a), a, 1))), 0)),
    ],
    // FLOPs: a logarithm and an exponential.
    {
      integerStep: Step.powerI32,
      integer: special.integerPower,
      flops: 2 * FUNCTION,
      vanishes: true,
      proportional: true,
      ulp: 0.52,
      range: [0, 3],
    },
  ),
  // d arctan2(a, b) = (b da − a db) / (a² + b²)
  arctan2: binary(
    Step.arctan2,
    Math.atan2,
    [
      (e, dy, a, b) => e.multiply(dy, e.divide(b, e.add(e.square(a), e.square(b)))),
      (e, dy, a, b) => e.negative(e.multiply(dy, e.divide(a, e.add(e.square(a), e.square(b))))),
    ],
    { accepts: FLOAT, flops: FUNCTION, proportional: true, ulp: 3.2 },
  ),
  // a − ⌊a/b⌋ b: the floor's derivative is zero
  mod: binary(
    Step.mod,
    special.modulo,
    [(_e, dy) => dy, (e, dy, a, b, y) => e.multiply(dy, e.divide(e.subtract(y, a), b))],
    // FLOPs: ÷, ⌊⌋, × and −.
    { integerStep: Step.modI32, integer: special.floorRemainder, flops: 4, proportional: true },
  ),
  floorDivide: binary(Step.floorDivide, special.floorDivide, [(e, dy) => e.zeros(dy), (e, dy) => e.zeros(dy)], {
    integerStep: Step.floorDivideI32,
    integer: special.floorQuotient,
    flops: 2,
    proportional: true,
  }),
  maximum: extremum(Step.maximum, Step.maximumI32, Math.max),
  minimum: extremum(Step.minimum, Step.minimumI32, Math.min),
  less: comparison(Step.less, Step.lessI32, (a, b) => a < b),
  lessEqual: comparison(Step.lessEqual, Step.lessEqualI32, (a, b) => a <= b),
  equal: comparison(Step.equal, Step.equalI32, (a, b) => a === b),
  notEqual: comparison(Step.notEqual, Step.notEqualI32, (a, b) => a !== b),
  // Bit by bit: bool is 0 or 1.
  logicalAnd: binary(Step.logicalAnd, (a, b) => a & b, null, { accepts: ['int32', 'bool'] }),
  logicalOr: binary(Step.logicalOr, (a, b) => a | b, null, { accepts: ['int32', 'bool'] }),
  select,
}

type Records = typeof elementwise
type NameOf<Operands extends 1 | 2 | 3> = {
  [Name in keyof Records]: Records[Name] extends RecordOf<Operands> ? Name : never
}[keyof Records]
/** The primitives of one operand, without attributes. */
export type UnaryName = NameOf<1>
/** The primitives of two operands, without attributes. */
export type BinaryName = NameOf<2>

/** For passes that only meet elementwise nodes. */
export function asElementwise<Name extends PrimitiveName>(
  rule: PrimitiveRule<Name>,
): ElementwisePrimitive<PrimitiveAttributes[Name]> {
  if (rule.kind !== 'elementwise') throw internalError('expected an elementwise primitive')
  return rule
}
