// The order of layers in graphs with masks, against Keras, whose graph has the ops that compute a mask as nodes.
// modes: simd

import { expect, it } from 'vitest'
import { Input, Model, type Tensor } from '../../src'
import type { LayerBase } from '../../src/layers/layer'
import { layers } from '../../src/layers/registry'
import type { MaskedOrderFile } from '../golden/format'
import { readFixture } from '../helpers/golden'
import { applyTree } from '../../src/layers/applying'

const { cases } = readFixture<MaskedOrderFile>('masked-order')
const classes = layers.all as Readonly<Record<string, new (options: object) => LayerBase>>

it.each(cases.map((each, i) => ({ title: `graph ${i}`, ...each })))(
  '$title',
  ({ steps, outputs, layers: expected }) => {
    const symbols: Tensor[] = []
    for (const step of steps) {
      if ('input' in step) {
        symbols.push(
          step.input === 'ids'
            ? Input({ shape: [4], dtype: 'int32', name: 'ids' })
            : Input({ shape: [4, 3], name: step.input }),
        )
        continue
      }
      const layer = new classes[step.class]!({ ...step.config, name: step.name })
      const given = step.from.map((i) => symbols[i]!)
      symbols.push(applyTree(layer, ['Add', 'Concatenate'].includes(step.class) ? given : given[0]!, {}) as Tensor)
    }
    const model = new Model({ inputs: symbols.slice(0, 2), outputs: outputs.map((i) => symbols[i]!) })
    expect(model.layers.map(({ name }) => name)).toEqual(expected)
  },
)
