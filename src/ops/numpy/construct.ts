// Ops that create sequences and grids of numbers.

import { axis, dtype, operand, unchecked, whole } from '../kinds'
import { arg, op, opOf, optional, rest } from '../op'
import type { DType } from '../../core/dtypes'
import { ArgumentError, ShapeError } from '../../core/errors'
import { always, boolean, choice, nullable, number, option, readOptions } from '../../core/options'
import { requireShape } from '../arguments'
import { asTensor, type TensorLike, toTensor } from '../convert'
import { add, cast, divide, exp, log, multiply, power } from './elementwise'
import { power as exactPower } from './whole'
import { broadcastTo, expandDims, moveAxis, reshape } from './shape'
import { Tensor } from '../tensor'

/** Options of numbers between two ends. */
export interface SpacingOptions {
  /** How many numbers. Default 50. */
  readonly num?: number
  /** Whether the last number is `stop`; otherwise it is one step before. Default true. */
  readonly endpoint?: boolean
  /** Default float32. */
  readonly dtype?: DType | null
  /** The position of the new axis if `start` or `stop` is not a scalar. Default 0. */
  readonly axis?: number
}

export interface LinspaceOptions extends SpacingOptions {
  /** Must be false: the step is (stop − start) / (num − 1), or / num without the endpoint. Default false. */
  readonly retstep?: false
}

/** The first parameters of numbers between two ends. */
const ends = () =>
  [arg('start', operand), arg('stop', operand), optional('num', whole(0)), optional('endpoint', boolean)] as const

/** The last parameters of numbers between two ends. */
const result = () => [optional('dtype', nullable(dtype)), optional('axis', axis)] as const

export const linspace = op(
  () => [
    ...ends(),
    optional('retstep', always([false], 'the type of a result does not depend on an option')),
    ...result(),
  ],
  {
    /**
     * `num` evenly spaced numbers from start to stop. start and stop broadcast; their axes follow the new axis.
     * @param num default 50
     * @param endpoint whether the last number is `stop`; otherwise it is one step before. Default true
     * @param _retstep must be false
     * @param dtype default float32
     * @param axis the position of the new axis, default 0
     * @example ops.linspace(0, 1, 5)   // [0, 0.25, 0.5, 0.75, 1]
     */
    linspace(start, stop, num = 50, endpoint = true, _retstep = false, dtype = null, axis = 0): Tensor {
      return cast(equallyFar('linspace', start, stop, num, endpoint, axis), dtype ?? 'float32')
    },
  },
)

function equallyFar(
  where: string,
  start: TensorLike,
  stop: TensorLike,
  num: number,
  endpoint: boolean,
  axis: number,
): Tensor {
  const { length, steps } = requireCount(where, num, endpoint)
  if (typeof start === 'number' && typeof stop === 'number') {
    const [from, to] = requireBounds(where, start, stop)
    const at = (i: number): number => (endpoint && i === steps ? to : from + (i * (to - from)) / steps)
    return rowAlong(length, axis, at)
  }
  const [from, to] = [cast(asTensor(start, where), 'float32'), cast(asTensor(stop, where), 'float32')]
  // start (1 − t) + stop t: exact at both ends
  const part = (of: (i: number) => number): Tensor =>
    reshape(
      new Tensor(
        Float32Array.from({ length }, (_, i) => of(i / steps)),
        [length],
        'float32',
      ),
      [length, ...new Array<number>(Math.max(from.rank, to.rank)).fill(1)],
    )
  const all = add(
    multiply(
      expandDimsTo(from, to.rank),
      part((t) => 1 - t),
    ),
    multiply(
      expandDimsTo(to, from.rank),
      part((t) => t),
    ),
  )
  return moveAxis(all, 0, axis)
}

/** The number of elements, and of the steps from start to stop. */
function requireCount(where: string, num: number, endpoint: boolean): { length: number; steps: number } {
  const [length] = requireShape(where, [num])
  return { length, steps: Math.max(1, endpoint ? length - 1 : length) }
}

function requireBounds(where: string, start: number, stop: number): [number, number] {
  return [number().read(start, `${where}: start`), number().read(stop, `${where}: stop`)]
}

function rowAlong(length: number, axis: number, at: (i: number) => number): Tensor {
  const row = new Tensor(
    Float32Array.from({ length }, (_, i) => at(i)),
    [length],
    'float32',
  )
  return axis === 0 || axis === -1 ? row : moveAxis(row, 0, axis)
}

/** Adds leading axes of extent 1 up to a rank, and one more. */
function expandDimsTo(x: Tensor, rank: number): Tensor {
  return reshape(x, [...new Array<number>(Math.max(0, rank - x.rank) + 1).fill(1), ...x.shape])
}

export interface LogspaceOptions extends SpacingOptions {
  /** Default 10. */
  readonly base?: number
}

export const logspace = op(() => [...ends(), optional('base', number()), ...result()], {
  /**
   * baseˣ for `num` evenly spaced numbers x from start to stop, which broadcast.
   * @param num default 50
   * @param endpoint whether the last x is `stop`, default true
   * @param base default 10
   * @param dtype default float32
   * @param axis the position of the new axis, default 0
   * @example ops.logspace(0, 2, 3)   // [1, 10, 100]
   */
  logspace(start, stop, num = 50, endpoint = true, base = 10, dtype = null, axis = 0): Tensor {
    return cast(power(base, equallyFar('logspace', start, stop, num, endpoint, axis)), dtype ?? 'float32')
  },
})

export const geomspace = op(() => [...ends(), ...result()], {
  /**
   * `num` numbers from start to stop in equal ratios: start (stop/start)ᵗ for evenly spaced t from 0 to 1. start and stop
   * broadcast. NaN if their signs differ or one is 0.
   * @param num default 50
   * @param endpoint whether the last number is `stop`, default true
   * @param dtype default float32
   * @param axis the position of the new axis, default 0
   * @example ops.geomspace(1, 1000, 4)   // [1, 10, 100, 1000]
   */
  geomspace(start, stop, num = 50, endpoint = true, dtype = null, axis = 0): Tensor {
    if (typeof start === 'number' && typeof stop === 'number') {
      const { length, steps } = requireCount('geomspace', num, endpoint)
      const [first, last] = requireBounds('geomspace', start, stop)
      const factor = Math.log(last / first)
      return cast(
        rowAlong(length, axis, (i) => first * Math.exp((i / steps) * factor)),
        dtype ?? 'float32',
      )
    }
    const [from, to] = [cast(asTensor(start, 'geomspace'), 'float32'), cast(asTensor(stop, 'geomspace'), 'float32')]
    const ratio = divide(to, from)
    const rise = equallyFar('geomspace', 0, log(ratio), num, endpoint, axis)
    return cast(multiply(expandDims(broadcastTo(from, ratio.shape), axis), exp(rise)), dtype ?? 'float32')
  },
})

export interface MeshgridOptions {
  /** 'xy': the second operand varies along the first axis. 'ij': operand i varies along axis i. Default xy. */
  readonly indexing?: 'xy' | 'ij'
}

function isOptions(value: unknown): value is MeshgridOptions {
  return typeof value === 'object' && value !== null && 'indexing' in value
}

/** The signatures of `meshgrid`. */
interface Meshgrid {
  /**
   * The coordinates of a grid: for each vector a tensor of the grid's shape, which repeats it along all other axes.
   * @example const [x, y] = ops.meshgrid([1, 2, 3], [10, 20])   // both [2, 3]
   */
  (...x: readonly TensorLike[]): Tensor[]
  (...x: readonly [...vectors: TensorLike[], options: MeshgridOptions]): Tensor[]
}

export const meshgrid = opOf<Meshgrid>(
  () => [rest('x', unchecked<TensorLike | MeshgridOptions>()), optional('indexing', choice('xy', 'ij'))],
  {
    meshgrid(...x: readonly (TensorLike | MeshgridOptions)[]): Tensor[] {
      const last = x.at(-1)
      const hasOptions = isOptions(last)
      const { indexing } = readOptions(
        'meshgrid',
        { indexing: option(choice('xy', 'ij'), 'xy') },
        hasOptions ? last : {},
      )
      const operands = hasOptions ? x.slice(0, -1) : x
      if (operands.length === 0) throw new ArgumentError('meshgrid: expected at least one vector, received none')
      const vectors = operands.map((each) => toTensor(each, 'meshgrid'))
      const wrong = vectors.find(({ rank }) => rank > 1)
      if (wrong !== undefined) throw new ShapeError(`meshgrid: expected vectors, received [${wrong.shape.join(', ')}]`)
      const order = vectors.map((_, i) => (indexing === 'xy' && i < 2 && vectors.length > 1 ? 1 - i : i))
      const shape = requireShape(
        'meshgrid',
        order.map((i) => vectors[i]!.size),
      )
      return vectors.map((vector, i) =>
        broadcastTo(
          reshape(
            vector,
            order.map((axis) => (axis === i ? vector.size : 1)),
          ),
          shape,
        ),
      )
    },
  },
)

export interface VanderOptions {
  /** The number of columns; null for as many as rows. Default null. */
  readonly n?: number | null
  /** Whether the powers increase from column to column. Default false. */
  readonly increasing?: boolean
}

export const vander = op(
  () => [arg('x', operand), optional('n', nullable(whole(0))), optional('increasing', boolean)],
  {
    /** [xⁿ⁻¹, …, x, 1] for each x of a vector [m]: [m, n], default n = m. With `increasing` [1, x, …, xⁿ⁻¹]. int32 stays int32. */
    vander(x, n = null, increasing = false): Tensor {
      const value = asTensor(x, 'vander')
      if (value.rank !== 1) throw new ShapeError(`vander: expected a vector, received [${value.shape.join(', ')}]`)
      const columns = n ?? value.size
      requireShape('vander', [value.size, columns])
      const degrees = Int32Array.from({ length: columns }, (_, i) => (increasing ? i : columns - 1 - i))
      return exactPower(expandDims(value, 1), new Tensor(degrees, [columns], 'int32'))
    },
  },
)
