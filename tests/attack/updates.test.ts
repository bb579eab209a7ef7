// No step leaves weights that are not finite without an error, whatever the options of the optimizer, the gradients and the state of
// layers; and what the error says about the weights is true. ATTACK_UPDATES=1 tries extreme numbers in every option.
// modes: simd, interpreter

import { describe, expect, it, vi } from 'vitest'
import {
  BatchNormalization,
  Dense,
  Input,
  NonFiniteError,
  Optimizer as OptimizerClass,
  Sequential,
  TerminateOnNaN,
  ops,
  tensor,
  type Optimizer,
  type SGD,
  type Model,
} from '../../src'
import { optimizers as registry } from '../../src/optimizers/registry'
import { hasNonFinite } from '../../src/core/dtypes'
import { errorOf, stateOf } from '../helpers/training'

/** The gradient of each weight of the model, in turn. */
const GRADIENTS = [0, 1e-30, 1e-24, 1e-20, 1, 1e18, -1, 9e18]
const TARGETS = [[0]]
const byHand = process.env['ATTACK_UPDATES'] !== undefined

/** A model whose gradient is its input. */
function linear(optimizer: Optimizer, size = GRADIENTS.length): Model {
  const model = new Sequential([
    Input({ shape: [size] }),
    new Dense({ units: 1, useBias: false, kernelInitializer: 'ones' }),
  ])
  model.compile({ optimizer, loss: (_target, output) => ops.mean(output) })
  return model
}

const isWhole = (model: Model): boolean => !model.weights.some(({ view }) => hasNonFinite(view))

/** The classes that can be made without options. */
const classes = Object.entries(registry.all).filter(([, of]) => {
  try {
    return Reflect.construct(of, [{}]) instanceof OptimizerClass
  } catch {
    return false
  }
})

/** Options that changed weights to NaN without an error. */
const FOUND: Readonly<Record<string, readonly object[]>> = {
  Ftrl: [{ learningRate: 1e-30 }, { learningRatePower: -1 }],
  Lamb: [{ learningRate: 1e10 }],
  Adafactor: [{ epsilon2: 1e30 }, { beta2Decay: 0 }],
  Muon: [{ muonA: 0 }, { muonC: 1e10 }],
}

function isAllowed(of: unknown, options: object): boolean {
  try {
    Reflect.construct(of as new () => object, [options])
    return true
  } catch {
    return false
  }
}

describe.each(classes)('%s', (name, of) => {
  const defaults = Object.entries((Reflect.construct(of, [{}]) as Optimizer).getConfig())
  const small = defaults.flatMap(([name, value]) =>
    /epsilon/.test(name) && typeof value === 'number' ? [0, 1e-50].map((each) => ({ [name]: each })) : [],
  )
  const extreme = [{ clipnorm: 1e-50 }, { globalClipnorm: 1e-50 }, { lossScaleFactor: 1e-50 }, { weightDecay: 1e30 }]
  // Every number among the options that it may be.
  const others = defaults
    .filter(([, value]) => typeof value === 'number' || value === null)
    .flatMap(([option]) => [0, 1e-30, 1e-10, 1e10, 1e30, -1].map((value) => ({ [option]: value })))
    .filter((options) => isAllowed(of, options))

  it.each([{}, ...small, ...extreme, ...(FOUND[name] ?? [])])(
    'changes nothing in a step that it cannot make: %j',
    (options) => {
      for (const gradients of [GRADIENTS, [1, 2, 3]]) changesNothing(options, gradients)
    },
  )

  it.runIf(byHand)('changes nothing with any extreme option', { timeout: 600_000 }, () => {
    for (const options of others)
      for (const gradients of [GRADIENTS, [1, 2, 3], [1e18, 1e18, -1e18]]) changesNothing(options, gradients)
  })

  function changesNothing(options: object, gradients: readonly number[]): void {
    const model = linear(Reflect.construct(of, [options]) as Optimizer, gradients.length)
    for (const x of [gradients, gradients.map(() => 0), gradients, gradients.map((each) => -4 * each)]) {
      const before = stateOf(model)
      let error: unknown = null
      try {
        model.trainOnBatch([x], TARGETS)
      } catch (thrown) {
        error = thrown
      }
      expect(isWhole(model)).toBe(true)
      if (error === null) continue
      expect(error).toBeInstanceOf(NonFiniteError)
      expect((error as Error).message).toContain('The weights are those before this step.')
      // The first step makes the slots.
      for (const [name, values] of Object.entries(before)) expect([name, stateOf(model)[name]]).toEqual([name, values])
      break
    }
    model.dispose()
  }
})

/** Divides by 0 in its third update. */
class Failing extends OptimizerClass {
  static readonly className = 'Failing'
  protected declareSlots(): string[] {
    return []
  }
  protected update({ parameters, iterations }: Parameters<SGD['update']>[0]) {
    const left = ops.subtract(2, ops.cast(iterations, 'float32'))
    return { parameters: ops.divide(ops.multiply(parameters, left), left), slots: [] }
  }
}

describe('an update rule of the user that divides by 0', () => {
  const x = tensor([[1, 2, 3, 4, 5, 6, 7, 8]])

  it('is said, not that the weights are whole', async () => {
    const error = await errorOf(() => linear(new Failing()).fit(x, TARGETS, { epochs: 5, verbose: 0 }))
    expect(error).toBeInstanceOf(NonFiniteError)
    expect(error.message).toMatch(/at step 4: .*Weights are NaN or infinite: an update/)
  })

  it('is an error in the last step of fit as well', async () => {
    const model = linear(new Failing())
    const error = await errorOf(() => model.fit(x, TARGETS, { epochs: 3, verbose: 0 }))
    expect(error).toBeInstanceOf(NonFiniteError)
    expect(error.message).toContain('at step 3: the update of the weights')
    expect(isWhole(model)).toBe(false)
    const warning = vi.spyOn(console, 'warn').mockImplementation(() => {})
    await linear(new Failing()).fit(x, TARGETS, { epochs: 3, verbose: 0, callbacks: [new TerminateOnNaN()] })
    expect(warning.mock.calls).toEqual([[expect.stringContaining('TerminateOnNaN')]])
    warning.mockRestore()
    const whole = linear(new Failing())
    await whole.fit(x, TARGETS, { epochs: 2, verbose: 0 })
    expect(isWhole(whole)).toBe(true)
  })
})

describe('BatchNormalization', () => {
  it.each([{}, { renorm: true }])('ends a step whose moving averages would not be finite: %j', async (options) => {
    const model = new Sequential([Input({ shape: [2] }), new BatchNormalization(options), new Dense(1)])
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const before = stateOf(model)
    const x = [
      [1e20, 1],
      [0, -1e20],
    ]
    const error = await errorOf(() => model.fit(x, [[0], [0]], { epochs: 2, verbose: 0 }))
    expect(error).toBeInstanceOf(NonFiniteError)
    expect(error.message).toMatch(/at step 1: .*batch_normalization.*The weights are those before this step/)
    const after = stateOf(model)
    for (const [name, values] of Object.entries(before)) expect([name, after[name]]).toEqual([name, values])
  })
})
