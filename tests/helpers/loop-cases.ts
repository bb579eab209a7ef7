// A table of loops, each with its inputs: all kinds of carries, stacked results, conditions, and loops in loops.

import type { GraphBuilder } from '../../src/engine/transforms/builder'
import type { Value } from '../../src/engine/ir/graph'
import { floats, type TensorContent } from './data'
import type { MakeLoop } from './loops'

export interface LoopCase {
  readonly inputs: readonly TensorContent[]
  /** Makes the loop; some of its results. */
  readonly results: (make: MakeLoop, builder: GraphBuilder, inputs: readonly Value[]) => readonly Value[]
  readonly ulp?: number
}

const T = 4
const [B, F, U] = [3, 5, 2]

/** h ← tanh(x·W + h·V + b) */
function rnn(
  make: MakeLoop,
  builder: GraphBuilder,
  [h, xs, w, v, b]: readonly Value[],
  options: { reverse?: boolean; stack?: 'before' | 'after' | 'both' | 'none'; length?: number } = {},
): readonly Value[] {
  const { reverse = false, stack = 'after', length = T } = options
  return make(
    builder,
    { carries: [h!], scanned: [xs!], captures: [w!, v!, b!], length, reverse },
    ({ e, ...inside }, [state], [x], [kernel, recurrent, bias]) => {
      void inside
      const next = e.add(e.add(e.matmul(x!, kernel!), e.matmul(state!, recurrent!)), bias!)
      const y = e.multiply(e.subtract(e.sigmoid(e.multiply(next, 2)), 0.5), 2)
      const stacked = { before: [state!], after: [y], both: [state!, y], none: [] }[stack]
      return { carries: [y], stacked }
    },
  )
}

const rnnInputs = (length = T): TensorContent[] => [
  floats([B, U]),
  floats([length, B, F], -1, 1, 2),
  floats([F, U], -1, 1, 3),
  floats([U, U], -1, 1, 4),
  floats([U], -1, 1, 5),
]

export const loopCases: Readonly<Record<string, LoopCase>> = {
  'a recurrence': { inputs: rnnInputs(), results: (make, b, inputs) => rnn(make, b, inputs) },
  'a recurrence backwards': {
    inputs: rnnInputs(),
    results: (make, b, inputs) => rnn(make, b, inputs, { reverse: true }),
  },
  'a recurrence without stacked values': {
    inputs: rnnInputs(),
    results: (make, b, inputs) => rnn(make, b, inputs, { stack: 'none' }),
  },
  'one iteration': {
    inputs: rnnInputs(1),
    results: (make, b, inputs) => rnn(make, b, inputs, { length: 1, stack: 'both' }),
  },
  'an odd number of iterations, carries in two buffers': {
    inputs: rnnInputs(5),
    results: (make, b, inputs) => rnn(make, b, inputs, { length: 5, stack: 'none' }),
  },
  'values before each iteration are stacked': {
    inputs: rnnInputs(),
    results: (make, b, inputs) => rnn(make, b, inputs, { stack: 'before' }),
  },
  'values before and after are stacked': {
    inputs: rnnInputs(),
    results: (make, b, inputs) => rnn(make, b, inputs, { stack: 'both' }),
  },
  'values before and after are stacked, backwards': {
    inputs: rnnInputs(),
    results: (make, b, inputs) => rnn(make, b, inputs, { stack: 'both', reverse: true }),
  },
  'only the stacked values are used': {
    inputs: rnnInputs(),
    results: (make, b, inputs) => rnn(make, b, inputs, { stack: 'both' }).slice(1),
  },
  'slices of a transposed whole': {
    inputs: [floats([B, U]), floats([B, T, F], -1, 1, 2), ...rnnInputs().slice(2)],
    results: (make, b, [h, xs, ...rest]) => rnn(make, b, [h!, b.e.transpose(xs!, [1, 0, 2]), ...rest]),
  },
  'stacked values that are transposed': {
    inputs: rnnInputs(),
    results: (make, b, inputs) =>
      rnn(make, b, inputs, { stack: 'after' }).map((y) =>
        b.e.transpose(
          y,
          y.shape.map((_, i) => y.shape.length - 1 - i),
        ),
      ),
  },
  'swapped carries': {
    inputs: [floats([3]), floats([3], -1, 1, 2)],
    results: (make, b, [x, y]) =>
      make(b, { carries: [x!, y!], scanned: [], captures: [], length: 3 }, ({ e }, [p, q]) => ({
        carries: [q!, e.sin(p!)],
        stacked: [p!, e.multiply(p!, q!)],
      })),
  },
  'a constant carry, and an unused one': {
    inputs: [floats([3]), floats([3], -1, 1, 2), floats([3], -1, 1, 3)],
    results: (make, b, [x, y, z]) =>
      make(b, { carries: [x!, y!, z!], scanned: [], captures: [], length: 3 }, ({ e }, [p, q, r]) => ({
        carries: [p!, e.multiply(q!, p!), e.exp(r!)],
        stacked: [e.add(p!, q!)],
      })).filter((_, i) => i !== 2),
  },
  'results that are operands': {
    inputs: [floats([2]), floats([T, 2], -1, 1, 2), floats([2], -1, 1, 3)],
    results: (make, b, [c, xs, k]) =>
      make(b, { carries: [c!], scanned: [xs!], captures: [k!], length: T }, ({ e }, [p], [x], [q]) => ({
        carries: [x!],
        stacked: [x!, q!, p!, x!, e.reverse(q!, [0]), e.multiply(p!, q!)],
      })),
  },
  'one operand in several places': {
    inputs: [floats([T, 2])],
    results: (make, b, [xs]) => {
      const first = b.e.reshape(b.e.slice(xs!, [0, 0], [1, 2]), [2])
      return make(
        b,
        { carries: [first, first], scanned: [xs!, xs!], captures: [first, first], length: T },
        ({ e }, [p, q], [x, y], [k, l]) => ({
          carries: [e.add(p!, e.multiply(x!, k!)), e.multiply(q!, e.add(y!, l!))],
          stacked: [e.multiply(p!, q!)],
        }),
      )
    },
  },
  'products that no carry depends on': {
    inputs: [floats([B, U]), floats([U, F], -1, 1, 2), floats([F], -1, 1, 3)],
    results: (make, b, [h, w, bias]) =>
      make(b, { carries: [h!], scanned: [], captures: [w!, bias!], length: T }, ({ e }, [p], _slices, [k, l]) => ({
        carries: [e.sin(p!)],
        stacked: [e.sigmoid(e.add(e.matmul(p!, k!), l!)), e.matmul(e.transposeMatrix(k!), e.transposeMatrix(p!))],
      })),
  },
  'sums in a carry': {
    inputs: [floats([]), floats([T, 3], -1, 1, 2)],
    results: (make, b, [s, xs]) =>
      make(b, { carries: [s!], scanned: [xs!], captures: [], length: T }, ({ e }, [p], [x]) => ({
        carries: [e.add(p!, e.sum(e.square(x!), [0]))],
        stacked: [],
      })),
  },
  'a loop in a loop': {
    inputs: [floats([2]), floats([3, T, 2], -1, 1, 2), floats([2], -1, 1, 3)],
    results: (make, b, [c, xs, k]) =>
      make(b, { carries: [c!], scanned: [xs!], captures: [k!], length: 3 }, (outer, [p], [rows], [q]) => {
        const [last, all] = make(
          outer,
          { carries: [p!], scanned: [rows!], captures: [q!, p!], length: T, reverse: true },
          ({ e }, [s], [x], [r, start]) => {
            const next = e.multiply(e.sin(e.add(e.multiply(s!, r!), x!)), e.add(start!, 1))
            return { carries: [next], stacked: [e.multiply(next, x!)] }
          },
        )
        return { carries: [last!], stacked: [all!, outer.e.sum(all!, [0])] }
      }),
  },
  'iterations while a carry is small': {
    inputs: [floats([3]), floats([3, 3], -1, 1, 2), floats([6, 3], -1, 1, 3)],
    results: (make, b, [x, w, xs]) =>
      make(
        b,
        { carries: [b.e.less(b.e.sum(x!, [0]), 2), x!], scanned: [xs!], captures: [w!], length: 6, runs: 'while' },
        ({ e }, [, p], [s], [k]) => {
          const product = e.reshape(e.matmul(e.reshape(p!, [1, 3]), k!), [3])
          const next = e.add(e.add(e.multiply(product, 0.5), e.square(s!)), 0.3)
          return { carries: [e.less(e.sum(next, [0]), 2), next], stacked: [e.multiply(next, s!), p!] }
        },
      ).slice(1),
  },
  'no iterations while a carry is small': {
    inputs: [floats([3], 1, 2), floats([4, 3], -1, 1, 2)],
    results: (make, b, [x, xs]) =>
      make(
        b,
        { carries: [b.e.less(b.e.sum(x!, [0]), 2), x!], scanned: [xs!], captures: [], length: 4, runs: 'while' },
        ({ e }, [condition, p], [s]) => ({ carries: [condition!, e.multiply(p!, s!)], stacked: [e.sin(s!)] }),
      ).slice(1),
  },
  'iterations of some slices, backwards': {
    inputs: [floats([2]), floats([7, 2], -1, 1, 2), floats([2], -1, 1, 3), floats([2], -1, 1, 4)],
    results: (make, b, [x, xs, k, y]) =>
      make(
        b,
        {
          carries: [x!, y!],
          scanned: [b.e.less(b.e.sum(xs!, [1]), 0), xs!],
          captures: [k!, y!],
          length: 7,
          reverse: true,
          runs: 'where',
        },
        ({ e }, [p, q], [, s], [l, r]) => ({
          carries: [e.add(e.multiply(q!, l!), s!), e.sin(e.add(p!, r!))],
          stacked: [e.multiply(p!, q!), s!, q!],
        }),
      ),
  },
  'a branch in a loop in a branch': {
    inputs: [floats([2]), floats([5, 2], -1, 1, 2), floats([2], -1, 1, 3)],
    results: (make, b, [x, xs, k]) =>
      make(
        b,
        {
          carries: [x!],
          scanned: [b.e.reshape(b.e.less(b.e.sum(x!, [0]), 10), [1])],
          captures: [xs!, k!],
          length: 1,
          runs: 'where',
        },
        (outer, [p], _condition, [whole, l]) => {
          const [last, all] = make(
            outer,
            { carries: [p!], scanned: [whole!], captures: [l!], length: 5 },
            (inside, [state], [s], [r]) => {
              const { e } = inside
              const [next] = make(
                inside,
                {
                  carries: [state!],
                  scanned: [e.reshape(e.less(e.sum(s!, [0]), 0), [1])],
                  captures: [r!, s!],
                  length: 1,
                  runs: 'where',
                },
                (branch, [own], _turn, [t, u]) => ({
                  carries: [branch.e.multiply(branch.e.sin(branch.e.add(own!, u!)), t!)],
                  stacked: [],
                }),
              )
              return { carries: [next!], stacked: [e.multiply(next!, r!)] }
            },
          )
          return { carries: [outer.e.add(last!, outer.e.sum(all!, [0]))], stacked: [] }
        },
      ),
  },
  'integers and floats together': {
    inputs: [floats([3]), { data: [1, 2, 3], shape: [3], dtype: 'int32' }],
    results: (make, b, [x, n]) =>
      make(b, { carries: [x!, n!], scanned: [], captures: [], length: 3 }, ({ e }, [p, q]) => ({
        carries: [e.multiply(p!, e.cast(q!, 'float32')), e.add(q!, e.scalar(1, 'int32'))],
        stacked: [e.less(p!, 1)],
      })),
  },
}
