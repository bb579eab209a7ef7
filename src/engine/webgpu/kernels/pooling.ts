// Maxima and sums over windows on the GPU, and their adjoints: a thread for each element of the result.

import { sizeOf, type Shape } from '../../../core/shapes'
import type { PoolAttributes } from '../../ir/attributes'
import { slides } from '../../primitives/pooling'
import { elementsOf } from '../couple'
import type { RecordFields } from '../dispatch'
import type { Sources } from '../functions/sources'
import type { GpuContext } from '../kernel'
import { pixelSeen, placeThatSees, slideOf } from './window'

/** Emits a kernel over the elements of out, with the window over tensors of shape x. */
function pool(
  { outputs: [out], attributes, emit }: GpuContext<PoolAttributes>,
  x: Shape,
  operands: RecordFields,
  body: (rank: number) => string,
  functions: (rank: number) => Sources = () => ({}),
): void {
  const { fields, rank } = slideOf(x, attributes.window, slides(attributes))
  emit.over(sizeOf(out!.shape), {
    fields: {
      ...operands,
      out,
      channels: x.at(-1)!,
      taps: sizeOf(attributes.window),
      ...fields,
    },
    functions: functions(rank),
    hooks: { afterElement: elementsOf([out!]) },
    body: `let channel = index % p.channels;\n${body(rank)}\nafterElement(index);`,
  })
}

/** Statements that declare `best`, the index in x of the largest element of the window at `place`: the first of equal ones, or NaN. */
const largestAt = (rank: number, place: string): string => `var best = 0u;
for (var tap = 0u; tap < p.taps; tap++) {
${pixelSeen(rank, place, 'tap', 'continue;')}
let at = pixel * p.channels + channel;
let x = f32At(p.x + at);
if (tap == 0u || isNaN(x) || (!isNaN(f32At(p.x + best)) && x > f32At(p.x + best))) { best = at; }
}`

const sumOver = (loop: string, term: string): string => `var sum = 0.0;
for (var tap = 0u; tap < p.taps; tap++) {
${loop}
sum += ${term};
}
storeF32(p.out + index, sum);`

export const pooling = {
  maxPool: {
    lower: (context: GpuContext<PoolAttributes>): void => {
      const [x] = context.inputs
      pool(
        context,
        x!.shape,
        { x },
        (rank) => `${largestAt(rank, 'index / p.channels')}\nmemory[p.out + index] = memory[p.x + best];`,
      )
    },
  },
  maxPoolPick: {
    lower: (context: GpuContext<PoolAttributes>): void => {
      const [x, values] = context.inputs
      const body = (rank: number): string =>
        `${largestAt(rank, 'index / p.channels')}\nmemory[p.out + index] = memory[p.values + best];`
      pool(context, x!.shape, { x, values }, body)
    },
  },
  maxPoolTranspose: {
    lower: (context: GpuContext<PoolAttributes>): void => {
      const [x, dy] = context.inputs
      // Each place that sees the pixel contributes if the pixel is its largest.
      const body = (rank: number): string => `var sum = 0.0;
for (var seenBy = 0u; seenBy < p.taps; seenBy++) {
${placeThatSees(rank, 'index / p.channels', 'seenBy', 'continue;')}
if (largest(place, channel) == index) { sum += f32At(p.dy + place * p.channels + channel); }
}
storeF32(p.out + index, sum);`
      const largest = (rank: number): Sources => ({
        largest: `fn largest(place: u32, channel: u32) -> u32 {\n${largestAt(rank, 'place')}\nreturn best;\n}`,
      })
      pool(context, x!.shape, { x, dy }, body, largest)
    },
  },
  sumPool: {
    lower: (context: GpuContext<PoolAttributes>): void => {
      const [x] = context.inputs
      pool(context, x!.shape, { x }, (rank) =>
        sumOver(pixelSeen(rank, 'index / p.channels', 'tap', 'continue;'), 'f32At(p.x + pixel * p.channels + channel)'),
      )
    },
  },
  sumPoolTranspose: {
    lower: (context: GpuContext<PoolAttributes>): void => {
      const [dy] = context.inputs
      pool(context, context.outputs[0]!.shape, { dy }, (rank) =>
        sumOver(
          placeThatSees(rank, 'index / p.channels', 'tap', 'continue;'),
          'f32At(p.dy + place * p.channels + channel)',
        ),
      )
    },
  },
}
