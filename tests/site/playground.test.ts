// The parts of the playground that need no page: the state as an address, and the code that it shows.
// modes: simd

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Form } from '../../site/src/data/form'
import { PLANE, pointsOf } from '../../site/src/data/points'
import { divided } from '../../site/src/data/split'
import { kerasCode, typescriptCode } from '../../site/src/model/code'
import { KINDS, isKind, layerOf } from '../../site/src/model/layers'
import { networkOf } from '../../site/src/model/network'
import {
  DATA_KINDS,
  DEVICES,
  INITIAL,
  LOSSES,
  OPTIMIZERS,
  SCHEDULES,
  TABS,
  suited,
  type DataKind,
  type State,
  type Tab,
} from '../../site/src/state/state'
import { fromHash, toHash } from '../../site/src/state/url'
import * as myelin from '../../src'

const layer = fc
  .constantFrom(...Object.keys(KINDS).filter(isKind))
  .chain((kind) =>
    fc
      .tuple(
        ...KINDS[kind].fields.map((field) =>
          field.type === 'choice'
            ? fc.constantFrom(...field.choices)
            : fc
                .integer({ min: 0, max: Math.round((field.max - field.min) / field.step) })
                .map((n) => Number((field.min + n * field.step).toFixed(4))),
        ),
      )
      .map((values) => layerOf(kind, Object.fromEntries(KINDS[kind].fields.map(({ name }, i) => [name, values[i]])))),
  )
const states: fc.Arbitrary<State> = fc.record({
  data: fc.record({
    kind: fc.constantFrom(...(Object.keys(DATA_KINDS) as DataKind[])),
    rows: fc.integer({ min: 20, max: 2000 }),
    noise: fc.integer({ min: 0, max: 100 }).map((n) => n / 100),
    points: fc.constant([]),
  }),
  layers: fc.array(layer, { maxLength: 6 }),
  training: fc.record({
    optimizer: fc.constantFrom(...OPTIMIZERS),
    rate: fc.constantFrom(0.0001, 0.003, 0.01, 1),
    schedule: fc.constantFrom(...SCHEDULES),
    loss: fc.constantFrom(...LOSSES),
    batch: fc.integer({ min: 1, max: 512 }),
    l2: fc.constantFrom(0, 1e-5, 0.01),
    seed: fc.integer({ min: 0, max: 1e6 }),
    device: fc.constantFrom(...DEVICES),
  }),
  tab: fc.constantFrom(...(Object.keys(TABS) as Tab[])),
})

const form = (kind: Form['kind'], inputShape: number[], task: Form['task']): Form => ({
  kind,
  task,
  inputShape,
  columns: inputShape.length === 1 ? Array.from({ length: inputShape[0]! }, (_, i) => `column ${i}`) : [],
  scale: kind === 'table' ? { mean: inputShape.map(() => 1), variance: inputShape.map(() => 4) } : null,
  trainRows: 240,
  testRows: 60,
})
const FORMS: readonly Form[] = [
  form('plane', [2], { kind: 'classes', names: ['blue', 'orange'] }),
  form('plane', [2], { kind: 'number', name: 'height' }),
  form('table', [1], { kind: 'classes', names: ['a', 'b', 'c'] }),
  form('image', [14, 14, 1], { kind: 'classes', names: ['0', '1', '2'] }),
]

describe('the address of the playground', () => {
  it('gives the state back', () => {
    fc.assert(
      fc.property(states, (state) => {
        expect(fromHash(`#${toHash(state)}`)).toEqual(state)
      }),
    )
  })

  it('keeps points that were drawn by hand', () => {
    const points = [
      { x: -1.25, y: 0.5, label: 0 },
      { x: 0.001, y: -1.7, label: 3 },
    ]
    const state: State = { ...INITIAL, data: { ...INITIAL.data, kind: 'drawn', points } }
    expect(fromHash(toHash(state)).data.points).toEqual(points)
  })

  it('is empty for the state in which the page begins', () => {
    expect(toHash(INITIAL)).toBe('')
    expect(fromHash('')).toEqual(INITIAL)
  })

  it('gives a valid state for any text', () => {
    const keys = fc.constantFrom('data', 'layers', 'rate', 'batch', 'points', 'rows', 'seed', 'tab', 'loss')
    const pairs = fc.array(
      fc.tuple(keys, fc.oneof(fc.string(), fc.constantFrom('dense-1e999', '-1', '__proto__', 'conv-'))),
    )
    fc.assert(
      fc.property(pairs, (given) => {
        const state = fromHash(given.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&'))
        expect(fromHash(toHash(state))).toEqual(state)
        expect(Number.isFinite(state.training.rate) && Number.isInteger(state.training.batch)).toBe(true)
      }),
    )
  })
})

describe('the data of the playground', () => {
  it('have two classes of one size within the plane, the same for the same seed', () => {
    for (const shape of ['moons', 'circles', 'spirals', 'xor'] as const) {
      const points = pointsOf(shape, 300, 0, 1)
      expect(points.filter(({ label }) => label === 0)).toHaveLength(150)
      expect(points.every(({ x, y }) => Math.max(Math.abs(x), Math.abs(y)) < PLANE.high)).toBe(true)
      expect(pointsOf(shape, 300, 0.1, 2)).toEqual(pointsOf(shape, 300, 0.1, 2))
    }
  })

  it('have every row either for training or for testing', () => {
    const y = Float32Array.from({ length: 53 }, (_, i) => i)
    const { trainRows: _train, testRows: _test, ...plane } = FORMS[1]!
    const { train, test } = divided(
      plane,
      Float32Array.from({ length: 106 }, (_, i) => Math.floor(i / 2)),
      y,
    )
    expect([train.rows, test.rows]).toEqual([42, 11])
    expect([...train.y, ...test.y].sort((a, b) => a - b)).toEqual([...y])
    expect([...train.x].filter((_, i) => i % 2 === 0)).toEqual([...train.y])
  })
})

/** The names that the code imports, and the code after its imports as the body of a function that returns the model. */
function modelOf(code: string): myelin.Sequential {
  const [, names] = /^import \{ ([^}]*) \} from 'myelin'/.exec(code)!
  const body = code.slice(code.indexOf('\n'), code.indexOf('\n// x:'))
  const values = names!.split(', ').map((name) => Reflect.get(myelin, name) as unknown)
  expect(values.every((value) => value !== undefined)).toBe(true)
  // oxlint-disable-next-line typescript/no-implied-eval -- the code comes from our own page
  return new Function(...names!.split(', '), `${body}\nreturn model`)(...values) as myelin.Sequential
}

describe('the code of the playground', () => {
  it('makes a model that answers as the data need', () => {
    fc.assert(
      fc.property(states, fc.constantFrom(...FORMS), (state, data) => {
        const model = modelOf(typescriptCode(networkOf(state, data), data))
        const { task, inputShape } = data
        const units = task.kind === 'number' || task.names.length === 2 ? 1 : task.names.length
        expect(model.inputs[0]!.shape.slice(1)).toEqual(inputShape)
        expect(model.outputs[0]!.shape.slice(1)).toEqual([units])
        model.dispose()
      }),
      { numRuns: 30 },
    )
  })

  it('uses the GPU if the page does', () => {
    const on = { ...INITIAL, training: { ...INITIAL.training, device: 'gpu' as const } }
    const [code, other] = [on, INITIAL].map((state) => typescriptCode(networkOf(state, FORMS[0]!), FORMS[0]!))
    expect(code).toContain("import('myelin/webgpu')\nawait useWebGPU()\nawait model.fit(")
    expect(code!.replace(/.*useWebGPU.*\n/g, '')).toBe(other)
  })

  it('is the same network in Keras', () => {
    const state = suited({ ...INITIAL, training: { ...INITIAL.training, schedule: 'cosine', l2: 0.01 } }, 'digits')
    const code = kerasCode(networkOf(state, FORMS[3]!), FORMS[3]!)
    expect(code).toContain(
      '    layers.Conv2D(filters=8, kernel_size=3, activation="relu", kernel_regularizer=regularizers.L2(l2=0.01)),\n    layers.MaxPooling2D(pool_size=2),\n    layers.Flatten(),\n    layers.Dense(units=32,',
    )
    expect(code).toContain('optimizers.schedules.CosineDecay(initial_learning_rate=0.01, decay_steps=1600)')
    expect(code).toContain('loss="sparse_categorical_crossentropy"')
  })
})
