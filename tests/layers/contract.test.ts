// Properties of every layer: a layer is tested once it is registered and has a row in examples.ts. golden.test.ts
// compares the numbers with Keras.
// modes: simd, interpreter

import { describe, expect, inject, it, vi } from 'vitest'
import {
  Bidirectional,
  CallContext,
  Input as inputSymbol,
  Model,
  MyelinError,
  Sequential,
  Tensor,
  customObjectScope,
  loadModel,
  maskOf,
  ops,
  setMask,
  tensor,
  type Layer,
  type Variable,
} from '../../src'
import { snakeCase } from '../../src/core/registry'
import { optionsOf } from '../../src/core/options'
import type { NumericArray } from '../../src/core/dtypes'
import { sizeOf } from '../../src/core/shapes'
import { flatten, isBranch, mapTree, typed, unflatten, type Tree } from '../../src/core/tree'
import type { LayerBase } from '../../src/layers/layer'
import { layers } from '../../src/layers/registry'
import { Operation } from '../../src/layers/core/operation'
import { Cell } from '../../src/layers/recurrent/cell'
import { RecurrentLayer } from '../../src/layers/recurrent/rnn'
import { StringLayer } from '../../src/layers/preprocessing/string-layer'
import type { TensorSpec } from '../../src/layers/spec'
import { whyUnknown } from '../../src/layers/declared-units'
import { interpret } from '../../src/engine/transforms/interpret'
import { compileTraced, currentTrace, runProgram, trace, type Traced } from '../../src/ops/trace'
import { expectClose } from '../helpers/compare'
import { expectDerivatives, largestIn } from '../helpers/differences'
import { floats, generator, integers } from '../helpers/data'
import { expectNear } from '../helpers/golden'
import { tryUnits } from '../helpers/unit-laws'
import { Input, customObjects, examples } from './examples'
import { applyTree } from '../../src/layers/applying'
import { outputSpecs } from '../../src/layers/inference'

type AnyClass = new (options: object) => LayerBase
const classes = layers.all as Readonly<Record<string, AnyClass>>

/** These have separate tests: strings.test.ts. HashedCrossing works on data only. */
const readsStrings = (name: string): boolean =>
  classes[name]!.prototype instanceof StringLayer || name === 'HashedCrossing'

it('every registered layer has a row, and every row a layer', () => {
  expect(Object.keys(examples).sort()).toEqual(
    Object.keys(classes)
      .filter((name) => !readsStrings(name))
      .sort(),
  )
})

/** Found by name, as when a file is read. */
const withClasses = <Result>(body: () => Result): Result => customObjectScope({ ...classes, ...customObjects }, body)

function dataOf(input: Tree<Input>, batch: number): Tree<Tensor> {
  let seed = 1
  return mapTree(input, ({ shape, dtype, below }) => {
    const full = [batch, ...shape]
    const { data } = dtype === 'float32' ? floats(full, -2, 2, seed++) : integers(full, 0, below - 1, seed++)
    return tensor([...data], full, dtype)
  })
}

function textOf(input: Tree<Input>): string {
  return flatten(input)
    .map(({ shape, dtype }) => `${dtype} [${shape.join(', ')}]`)
    .join(' and ')
}

function specsOf(input: Tree<Input>, batch: number | null): Tree<TensorSpec> {
  return mapTree(input, (leaf) => leaf.spec(batch))
}

function expectEqualTrees(received: Tree<Tensor>, expected: Tree<Tensor>, where: string, tolerance = 1e-6): void {
  const [a, b] = [flatten(received), flatten(expected)]
  expect(
    a.map(({ shape, dtype }) => ({ shape, dtype })),
    where,
  ).toEqual(b.map(({ shape, dtype }) => ({ shape, dtype })))
  a.forEach((leaf, i) => expectNear(leaf.data, b[i]!.data, where, tolerance))
}

/** Weights that are not all 0 or 1, the same for equal layers. Variances are positive. */
function setWeights(layer: LayerBase): void {
  layer.weights.forEach((weight, i) => {
    const least = /variance$/i.test(weight.name) ? 0.4 : -0.8
    if (weight.dtype === 'float32')
      weight.assign(tensor([...floats(weight.shape, least, 0.8, i + 40).data], weight.shape))
  })
}

/** For each class that declares units: the number of groups tested. */
const unitsTried = new Map<string, number>()

const rows = Object.entries(examples).flatMap(([name, all]) =>
  all.map((example, i) => ({ name, title: all.length > 1 ? `${name} (${i + 1})` : name, example })),
)

describe.each(rows)('$title', ({ name, example }) => {
  const { input, others = [] } = example
  const layerClass = classes[name]!

  const options = (): object =>
    typeof example.options === 'function' ? (example.options as () => object)() : (example.options ?? {})
  const make = (): LayerBase => new layerClass(options())
  const built = (of: Tree<Input> = input): LayerBase => {
    const layer = make()
    layer.ensureBuilt(specsOf(of, null))
    setWeights(layer)
    return layer
  }

  it.each([input, ...others].map((each) => ({ each, text: textOf(each) })))(
    'computes the promised output for $text',
    ({ each }) => {
      const layer = built(each)
      for (const batch of [1, 2, 5]) {
        const output = flatten(applyTree(layer, dataOf(each, batch), {}))
        for (const promised of [outputSpecs(layer, specsOf(each, batch)), outputSpecs(layer, specsOf(each, null))]) {
          const specs = flatten(promised)
          expect(specs).toHaveLength(output.length)
          specs.forEach(({ shape, dtype }, i) => {
            expect(dtype).toBe(output[i]!.dtype)
            expect(shape.map((extent, axis) => extent ?? output[i]!.shape[axis])).toEqual(output[i]!.shape)
          })
        }
        const [open] = flatten(outputSpecs(layer, specsOf(each, null)))
        expect(open!.shape[0], 'the batch axis stays open').toBeNull()
      }
    },
  )

  it('is built once', () => {
    const layer = example.adapts === true ? built() : make()
    const first = applyTree(layer, dataOf(input, 2), {})
    const weights = [...layer.weights]
    expect(layer.built).toBe(true)
    applyTree(layer, dataOf(input, 3), {})
    expect(layer.weights).toEqual(weights)
    if (!example.random) expectEqualTrees(applyTree(layer, dataOf(input, 2), {}), first, 'the same again')
    expect(new Set(weights.map((weight) => weight.name)).size).toBe(weights.length)
    expect(weights.every((weight) => weight.name.startsWith(`${layer.name}/`))).toBe(true)
  })

  it('computes the units that it declares', () => {
    expect(whyUnknown(built())).toBeNull()
    // A model has no cell steps as inputs: cells are tested within their layers.
    if (example.begins || example.adapts || make() instanceof Cell) return
    const count = tryUnits(make, input, example.random === true)
    if (count !== null) unitsTried.set(name, (unitsTried.get(name) ?? 0) + count)
  })

  it('gives the same inside a trace', () => {
    const layer = built()
    const data = dataOf(input, 3)
    const program = compileTraced(
      trace(flatten(data), (symbols) => flatten(applyTree(layer, unflatten(input, symbols), {}))),
    )
    const outputs = runProgram(program, flatten(data))
    program.dispose()
    expectEqualTrees(outputs, flatten(applyTree(layer, data, {})), 'traced')
  })

  it('accepts training, which changes its output only if declared', () => {
    const layer = built()
    const data = dataOf(input, 4)
    const off = applyTree(layer, data, { training: false })
    const state = layer.weights.map((weight) => weight.value)
    const on = applyTree(layer, data, { training: true })
    layer.weights.forEach((weight, i) => weight.assign(state[i]!))
    expect(flatten(on).map(({ shape }) => shape)).toEqual(flatten(off).map(({ shape }) => shape))
    if (example.random) expect(flatten(on)[0]!.data).not.toEqual(flatten(off)[0]!.data)
    else expectEqualTrees(on, off, 'training')
    // Inherited from a layer around it.
    const context = new CallContext(false)
    expectEqualTrees(applyTree(layer, data, context), off, 'a context that was handed on')
  })

  it('works in a functional model, twice, and after loading', async () => {
    if (example.begins) return
    const layer = built()
    const symbols = () => mapTree(input, ({ shape, dtype }) => inputSymbol({ shape, dtype }))
    const [first, second] = [symbols(), symbols()]
    const model = new Model<unknown, unknown>({
      inputs: [first, second],
      outputs: [applyTree(layer, first, {}), applyTree(layer, second, {})],
    })
    expect(model.weights, 'a shared layer has its weights once').toHaveLength(layer.weights.length)
    const data = [
      dataOf(input, 3),
      mapTree(dataOf(input, 3), (x) => (x.dtype === 'float32' ? ops.multiply(x, 0.5) : x)),
    ]
    const expected = data.map((each) => applyTree(layer, each, {}))
    expectEqualTrees(typed(model.predictOnBatch(typed(data))), expected, 'predictions')
    const copy = await loadModel<unknown, unknown>(await model.save(), { customObjects })
    expectEqualTrees(
      typed(copy.predictOnBatch(typed(data))),
      typed(model.predictOnBatch(typed(data))),
      'predictions of the loaded model',
      0,
    )
  })

  it('works in a Sequential', async () => {
    if (!(input instanceof Input)) return
    const layer = typed<Layer>(built())
    const model = new Sequential([layer], { name: 'around' })
    const data = typed<Tensor>(dataOf(input, 3))
    expectEqualTrees(model.predictOnBatch(data), applyTree(layer, data, {}), 'predictions')
    const copy = await loadModel(await model.save(), { customObjects })
    expectEqualTrees(copy.predictOnBatch(data), model.predictOnBatch(data), 'predictions of the loaded model', 0)
    // With the shape of a sample it can be the first layer.
    const first = typed<Layer>(
      new layerClass({ ...options(), ...(name === 'InputLayer' ? {} : { inputShape: input.shape }) }),
    )
    expect(new Sequential([first]).built).toBe(true)
  })

  it('passes a mask on exactly if declared', () => {
    const layer = built()
    const data = dataOf(input, 2)
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    try {
      const without = flatten(applyTree(layer, data, {})).map((leaf) => maskOf(leaf))
      expect(
        without.some((mask) => mask !== null),
        'without a mask on the input',
      ).toBe(example.mask === 'makes')
      let seed = 7
      for (const x of flatten(data)) {
        const shape = x.shape.slice(0, example.maskRank ?? Math.max(1, Math.min(2, x.rank - 1)))
        setMask(x, tensor([...integers(shape, 0, 1, seed++).data], shape, 'bool'))
      }
      const masks = flatten(applyTree(layer, data, {})).map((leaf) => maskOf(leaf))
      expect(masks.some((mask) => mask !== null)).toBe(
        (layer.supportsMasking && example.mask !== 'drops') || example.mask === 'makes',
      )
      expect(warn.mock.calls.length > 0, 'a warning').toBe(!layer.supportsMasking)
      for (const mask of masks) if (mask !== null) expect(mask.dtype).toBe('bool')
    } finally {
      warn.mockRestore()
    }
  })

  it('rejects data and symbols that do not fit, once it is built', () => {
    const layer = built()
    const others = flatten(input).flatMap((leaf, i) => {
      const changed = [...leaf.shape.keys()].map((axis) =>
        leaf.shape.map((extent, j) => (j === axis ? extent + 1 : extent)),
      )
      return [...changed, leaf.shape.slice(1), [2, ...leaf.shape]].map((shape) => {
        let at = 0
        return mapTree(input, (each) => (at++ === i ? new Input(shape, leaf.dtype, leaf.below) : each))
      })
    })
    const calls = others.flatMap((other) => [
      () => applyTree(layer, dataOf(other, 2), {}),
      () =>
        applyTree(
          layer,
          mapTree(other, ({ shape, dtype }) => inputSymbol({ shape, dtype })),
          {},
        ),
    ])
    for (const call of calls) expectOwnWords(layer, call)
  })

  it('rejects masks that do not fit', () => {
    const layer = built()
    if (!layer.supportsMasking) return
    const data = dataOf(input, 2)
    const single = data instanceof Tensor ? data : null
    for (const shape of [[3], [2, 9], [1, 9], [2, 2, 2, 2, 2], []]) {
      const mask = ops.ones(shape, 'bool')
      expectOwnWords(layer, () => applyTree(layer, data, { mask: single === null ? mapTree(data, () => mask) : mask }))
    }
    // of another structure than the inputs
    if (isBranch(data)) expect(() => applyTree(layer, data, { mask: ops.ones([2], 'bool') })).toThrow(String(layer))
  })

  it('refuses arguments that its call does not read', () => {
    const layer = built()
    const data = dataOf(input, 2)
    const isRecurrent = layer instanceof RecurrentLayer || layer instanceof Bidirectional
    if (!isRecurrent)
      expect(() => applyTree(layer, data, { initialState: [ops.ones([2, 3])] })).toThrow(
        `${layer}: takes no initialState; its call accepts training, mask`,
      )
    if (!name.endsWith('Attention'))
      expect(() => applyTree(layer, data, { useCausalMask: true })).toThrow(`${layer}: takes no useCausalMask`)
    expect(() => applyTree(layer, data, { initialState: null, useCausalMask: false })).not.toThrow()
  })

  it('is restored from its configuration', () => {
    const layer = built()
    const config = JSON.parse(JSON.stringify(layer.getConfig()))
    const copy = withClasses(() => layers.get({ className: name, config }))
    expect(copy.constructor).toBe(layerClass)
    expect(JSON.parse(JSON.stringify(copy.getConfig()))).toEqual(config)
    copy.ensureBuilt(specsOf(input, null))
    copy.weights.forEach((weight, i) => weight.assign(layer.weights[i]!.value))
    const data = dataOf(input, 2)
    expectEqualTrees(applyTree(copy, data, {}), applyTree(layer, data, {}), 'the copy')
  })

  it('refuses an unknown option, and suggests the nearest', () => {
    for (const option of Object.keys(optionsOf(layerClass))) {
      expect(() => new layerClass({ ...options(), [`${option}x`]: 1 })).toThrow(
        new RegExp(`Unknown option of ${name} '${option}x'. Did you mean '${option}'`),
      )
    }
  })

  it('takes its options in snake case, too', () => {
    const config = built().getConfig()
    const snaked = Object.fromEntries(Object.entries(config).map(([key, value]) => [snakeCase(key), value]))
    const copy = withClasses(() => layers.get({ className: name, config: snaked }))
    expect(JSON.parse(JSON.stringify(copy.getConfig()))).toEqual(JSON.parse(JSON.stringify(config)))
  })

  // Hundreds of runs in float64. The other mode interprets the same graph, of primitives that cases.test.ts checks there.
  it.runIf(inject('mode') === 'simd').each([false, true])(
    'has the gradient of finite differences, training = %s',
    (training) => {
      const layer = built()
      const data = flatten(dataOf(input, 2))
      const isFloat = data.map(({ dtype }) => dtype === 'float32')
      const weights = layer.weights.filter(
        ({ dtype }) => dtype === 'float32' && !(training && example.assigns === true),
      )
      // Σ output · w over all outputs.
      const lossOf = (symbols: readonly Tensor[]): Tensor => {
        const random = generator(17)
        const outputs = flatten(applyTree(layer, unflatten(input, symbols), { training })).filter(
          ({ dtype }) => dtype === 'float32',
        )
        const terms = outputs.map((output) => {
          const w = Array.from({ length: sizeOf(output.shape) }, () => (0.5 + random()) * (random() < 0.5 ? -1 : 1))
          return ops.sum(ops.multiply(output, tensor(w, output.shape)))
        })
        return terms.reduce((a, b) => ops.add(a, b), ops.zeros([]))
      }
      const wrt = (symbols: readonly Tensor[]) => [
        ...symbols.filter((_, i) => isFloat[i]),
        ...weights.map((weight) => weight.value),
      ]
      const loss = trace(data, (symbols) => [lossOf(symbols)])
      const gradient = trace(data, (symbols) => currentTrace()!.gradients(lossOf(symbols), wrt(symbols)))
      if (example.jumps === true || gradient.graph.outputs.length === 0) return
      const values = wideValues(data, weights)
      const expected = values.outputsOf(gradient)
      const absolute = 2e-5 * largestIn(expected) + 1e-6
      expectDerivatives(() => values.outputsOf(loss)[0]![0]!, values.moved, expected, absolute, String(layer))
      const program = compileTraced(gradient)
      const received = runProgram(program, data)
      program.dispose()
      expected.forEach((each, i) => {
        expectClose(received[i]!.data, each, { ulp: 0, absolute, signedZero: false }, `gradient ${i}`)
      })
    },
  )
})

it('every class that declares units has a row that tests them', () => {
  expect([...unitsTried].filter(([, count]) => count === 0)).toEqual([])
})

/**
 * A call works, or its error begins with the layer's name, and states what was expected and received in terms of
 * layers.
 */
function expectOwnWords(layer: LayerBase, call: () => unknown): void {
  try {
    call()
  } catch (error) {
    const { message } = error as Error
    expect(error, message).toBeInstanceOf(MyelinError)
    if (layer instanceof Operation) return
    expect(message.startsWith(`${layer}: `), message).toBe(true)
    // Errors of an op are prefixed by the layer, or by a layer inside.
    const said = message.replace(/^(?:\w+ "[^"]*": )+/, '')
    expect(said, message).not.toMatch(/^\w+: /)
  }
}

/** Inputs and weights in float64. */
function wideValues(data: readonly Tensor[], weights: readonly Variable[]) {
  const inputs = data.map(({ dtype, data: own }): NumericArray => (dtype === 'float32' ? Float64Array.from(own) : own))
  const values = new Map<unknown, Float64Array>(weights.map((weight) => [weight, Float64Array.from(weight.value.data)]))
  const contentOf = (cell: unknown): NumericArray => values.get(cell) ?? (cell as Variable).value.data
  return {
    /** The float inputs, then the weights: what a gradient is of. */
    moved: [...inputs.filter((array) => array instanceof Float64Array), ...values.values()],
    outputsOf: ({ graph }: Traced) => interpret(graph, inputs, contentOf, { precision: 'float64' }).outputs,
  }
}
