// Options that a class declares: which are read, which are refused and with what error, which are written. The
// library's own declarations are tested at the end.
import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  InputLayer,
  Adafactor,
  Adam,
  AdamW,
  ArgumentError,
  CSVLogger,
  Callback,
  Concatenate,
  Conv2D,
  Embedding,
  Input,
  LSTM,
  MaxPooling2D,
  CosineDecay,
  Dense,
  EarlyStopping,
  ExponentialDecay,
  LambdaCallback,
  LearningRateScheduler,
  ModelCheckpoint,
  MultiOptimizer,
  PiecewiseConstantDecay,
  RMSprop,
  SGD,
  TimeDistributed,
  constraints,
  initializers,
  losses,
  metrics,
  regularizers,
  type AdamOptions,
  type EarlyStoppingOptions,
} from '../../src'
import { getActivation } from '../../src/parts/activations'
import {
  Configured,
  boolean,
  choice,
  configured,
  count,
  custom,
  either,
  extents,
  functionOptions,
  integer,
  listOf,
  named,
  nullable,
  number,
  option,
  optionFrom,
  readOptions,
  recordOf,
  required,
  text,
} from '../../src/core/options'
import { classNameOf, construct, customFunction, customObjectScope, serialize } from '../../src/core/registry'
import { initializers as initializerRegistry } from '../../src/parts/initializers/registry'
import { getLoss } from '../../src/losses/registry'
import { getMetric } from '../../src/metrics/registry'
import { getOptimizer, optimizers } from '../../src/optimizers/registry'
import { schedules } from '../../src/optimizers/schedule-registry'
import { regularizers as regularizerRegistry } from '../../src/parts/regularizers/registry'

class Base extends configured(
  Configured,
  () => ({
    name: optionFrom(text, (object) => classNameOf(object)),
    seed: option(nullable(integer()), null),
  }),
  [],
) {}

class Dropper extends configured(
  Base,
  () => ({
    /** Documented. */
    rate: required(number({ min: 0, max: 1 })),
    noiseShape: option(nullable(extents(null)), null),
  }),
  ['rate', 'seed'],
) {}

const messageOf = (action: () => unknown): string => {
  try {
    action()
  } catch (error) {
    if (error instanceof ArgumentError) return error.message
    throw error
  }
  throw new Error('expected an error, received none')
}

describe('a class with options', () => {
  it("has its own and its bases' options as properties", () => {
    const { rate, noiseShape, name, seed } = new Dropper({ rate: 0.5, seed: 7 })
    expect({ rate, noiseShape, name, seed }).toEqual({ rate: 0.5, noiseShape: null, name: 'Dropper', seed: 7 })
  })

  it('takes both spellings, but not at once', () => {
    expect(new Dropper({ rate: 0, noise_shape: [null, 2] } as never).noiseShape).toEqual([null, 2])
    expect(messageOf(() => new Dropper({ rate: 0, noise_shape: null, noiseShape: null } as never))).toBe(
      'Dropper: noiseShape is given twice, in two spellings',
    )
  })

  it('takes a single option', () => {
    expect(new Dropper(0.25).rate).toBe(0.25)
    expect(messageOf(() => new Base(0.25 as never))).toBe('Base takes ({ … }), received (0.25)')
  })

  it('takes one option before the others', () => {
    expect(new Dropper(0.25, { seed: 7, noise_shape: [2] } as never)).toMatchObject({
      rate: 0.25,
      seed: 7,
      noiseShape: [2],
    })
    expect(new Dropper(0.25, {}).rate).toBe(0.25)
    expect(messageOf(() => new Dropper(0.25, { sede: 1 } as never))).toBe(
      "Unknown option of Dropper 'sede'. Did you mean 'seed'?",
    )
    expect(messageOf(() => new Dropper(0.25, { name: 'drop', seed: 'x' } as never))).toContain(
      'Dropper "drop": seed must be an integer',
    )
    expect(messageOf(() => new Dropper(0.25, { rate: 1 } as never))).toBe('Dropper: rate is given twice')
  })

  it.each<[() => unknown, string]>([
    [() => new Dropper(0.25, [2] as never), 'Dropper: seed must be an integer, received [2]'],
    [
      () => Reflect.construct(Dropper, [{ rate: 0.25 }, { seed: 1 }]),
      'Dropper: rate must be a finite number in [0, 1], received an object (Object)',
    ],
    [
      () => Reflect.construct(Dropper, [0.25, { seed: 1 }, 3]),
      'Dropper takes (rate, seed, { … }), received (0.25, an object (Object), 3)',
    ],
    [
      () => Reflect.construct(Dropper, [0.25, 1, 3, { name: 'x' }]),
      'Dropper takes (rate, seed, { … }), received (0.25, 1, 3, an object (Object))',
    ],
    [() => Reflect.construct(Base, [{ seed: 1 }, 'x']), "Base takes ({ … }), received (an object (Object), 'x')"],
    [() => new Dense(10, 'relu', 'yes' as never), "Dense: useBias must be true or false, received 'yes'"],
    [
      () => Reflect.construct(Dense, [10, 'relu', true, 'zeros']),
      "Dense takes (units, activation, useBias, { … }), received (10, 'relu', true, 'zeros')",
    ],
    [() => new losses.Huber(2, 'sum', { reduction: 'none' } as never), 'Huber: reduction is given twice'],
    [() => new Conv2D(32, { kernel_size: 3, filters: 2 } as never), 'filters is given twice'],
  ])('refuses further arguments, which would be ignored: %#', (make, message) => {
    expect(messageOf(make)).toContain(message)
  })

  it('takes options by position, of which undefined stands for the default', () => {
    expect(new Dropper(0.25, 7)).toMatchObject({ rate: 0.25, seed: 7, name: 'Dropper' })
    expect(new Dropper(0.25, 7, { name: 'x' })).toMatchObject({ rate: 0.25, seed: 7, name: 'x' })
    expect(new Dropper(0.25, undefined, { name: 'x' })).toMatchObject({ seed: null, name: 'x' })
    expect(Reflect.construct(Dropper, [undefined, { rate: 1 }])).toMatchObject({ rate: 1 })
    expect(Reflect.construct(Base, [undefined])).toMatchObject({ name: 'Base' })
    expect(new Dropper(0.25, null)).toMatchObject({ seed: null })
  })

  it('of a subclass of a user has the same positions', () => {
    class Own extends Conv2D {
      static override readonly className = 'Own'
    }
    expect(new Own(4, 3, { padding: 'same' })).toMatchObject({ filters: 4, kernelSize: [3, 3], padding: 'same' })
    class Adamant extends Adam {}
    expect(new Adamant(0.1, 0.8).beta1).toBe(0.8)
  })

  it('of every kind takes options by position, as in Keras', () => {
    expect(new Conv2D(32, 3, 2, 'same', { activation: 'relu' })).toMatchObject({
      filters: 32,
      kernelSize: [3, 3],
      strides: [2, 2],
      padding: 'same',
    })
    expect(new MaxPooling2D(2)).toMatchObject({ poolSize: [2, 2] })
    expect(new LSTM(8, { returnSequences: true, name: 'lstm' }).getConfig()).toEqual(
      new LSTM({ units: 8, returnSequences: true, name: 'lstm' }).getConfig(),
    )
    expect(new Embedding(100, 16, { maskZero: true })).toMatchObject({ inputDim: 100, outputDim: 16, maskZero: true })
    expect(new Adam(0.01, 0.8, 0.99, { weightDecay: 0.1 })).toMatchObject({ beta1: 0.8, beta2: 0.99, weightDecay: 0.1 })
    expect(new AdamW(0.01, 0.1).weightDecay).toBe(0.1)
    expect(new ExponentialDecay(0.1, 100, 0.9, true).getConfig()).toMatchObject({ decaySteps: 100, staircase: true })
    expect(new EarlyStopping('valLoss', 0.1, 3)).toMatchObject({ monitor: 'valLoss', minDelta: 0.1, patience: 3 })
    expect(new metrics.BinaryAccuracy('right', null, 0.4)).toMatchObject({ name: 'right', threshold: 0.4 })
    expect(new initializers.RandomUniform(-1, 1, 7)).toMatchObject({ minval: -1, maxval: 1, seed: 7 })
    expect(new regularizers.L1L2(0.1, 0.2)).toMatchObject({ l1: 0.1, l2: 0.2 })
    expect(Input([4]).shape).toEqual([null, 4])
    expect(Input([4], 2, 'int32', { name: 'ids' })).toMatchObject({ shape: [2, 4], dtype: 'int32' })
    expect(Input([4], { name: 'x' }).shape).toEqual([null, 4])
  })

  it('of every kind takes one option before the others', () => {
    expect(new Dense(10, { activation: 'relu', name: 'hidden' }).getConfig()).toEqual(
      new Dense({ units: 10, activation: 'relu', name: 'hidden' }).getConfig(),
    )
    expect(new Concatenate(1, { name: 'both' })).toMatchObject({ axis: 1, name: 'both' })
    expect(new TimeDistributed(new Dense(2), { name: 'each' }).name).toBe('each')
    expect(new losses.Huber(2, { reduction: 'sum' })).toMatchObject({ delta: 2, reduction: 'sum' })
    expect(new constraints.MaxNorm(3, { axis: 1 })).toMatchObject({ maxValue: 3, axis: 1 })
    expect(new ModelCheckpoint('x', { saveBestOnly: true })).toMatchObject({ filepath: 'x', saveBestOnly: true })
    expect(new CSVLogger('l.csv', { separator: ';', append: true })).toMatchObject({
      filename: 'l.csv',
      separator: ';',
      append: true,
    })
    expect(new LearningRateScheduler(() => 1, { verbose: 1 }).verbose).toBe(1)
  })

  it('refuses unknown names with the nearest known one, and missing options', () => {
    expect(messageOf(() => new Dropper({ rate: 1, sede: 3 } as never))).toBe(
      "Unknown option of Dropper 'sede'. Did you mean 'seed'?",
    )
    expect(messageOf(() => new Dropper({ rate: 1, name: 'drop', qqqqqqqq: 3 } as never))).toBe(
      `Unknown option of Dropper "drop" 'qqqqqqqq'. Known: name, seed, rate, noiseShape`,
    )
    expect(messageOf(() => new Dropper({} as never))).toBe('Dropper: needs rate')
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(messageOf(() => new Base(JSON.parse(`{ "${name}": 1 }`)))).toContain(`Unknown option of Base '${name}'`)
    }
  })

  it('names itself in errors of values', () => {
    expect(messageOf(() => new Dropper({ rate: 2, name: 'drop' }))).toBe(
      'Dropper "drop": rate must be a finite number in [0, 1], received 2',
    )
  })

  it('serializes to a config that makes an equal object', () => {
    const one = new Dropper({ rate: 0.5, name: 'drop', noiseShape: [null, 3] })
    expect(serialize(one)).toEqual({
      className: 'Dropper',
      config: { name: 'drop', seed: null, rate: 0.5, noiseShape: [null, 3] },
    })
    expect(new Dropper(one.getConfig() as never)).toEqual(one)
  })

  it('is as strict in a subclass with a constructor, which removes its own options before super', () => {
    class Own extends Dropper {
      readonly extra: number
      constructor({ extra, ...options }: { extra: number; rate: number; seed?: number }) {
        super(options)
        this.extra = extra
      }
    }
    expect(new Own({ rate: 0.5, extra: 3 }).extra).toBe(3)
    expect(messageOf(() => new Own({ rate: 5, extra: 3 }))).toContain('Own: rate must be')
    expect(messageOf(() => new Own({ rate: 0, extra: 3, sede: 1 } as never))).toBe(
      "Unknown option of Own 'sede'. Did you mean 'seed'?",
    )
    class All extends Dropper {
      readonly extra: number
      constructor(options: { extra: number; rate: number }) {
        super(options)
        this.extra = options.extra
      }
    }
    expect(messageOf(() => new All({ rate: 0.5, extra: 3 }))).toBe(
      "Unknown option of All 'extra'. Known: name, seed, rate, noiseShape. A constructor must not pass the options that it reads itself to super: constructor({ mine, ...others }) { super(others) }",
    )
  })

  it('refuses an option value that would have no effect', () => {
    expect(new Adafactor({ relativeStep: true }).relativeStep).toBe(true)
    expect(messageOf(() => new Dense({ units: 1, loraRank: 4 as never }))).toContain(
      'Dense: loraRank must be null: use',
    )
  })

  it('does not depend on the source text of a class', () => {
    class Commented extends Dropper {
      // A constructor of the user's own would be here.
      readonly note = 'constructor (x) {}'
    }
    class Plain extends Dropper {}
    for (const [name, each] of Object.entries({ Commented, Plain }))
      expect(messageOf(() => new each({ rate: 0, extra: 3 } as never))).toBe(
        `Unknown option of ${name} 'extra'. Known: name, seed, rate, noiseShape`,
      )
  })

  it('distinguishes a class from a function, also when a compiler replaced one by the other', () => {
    // The output of compilers for older JavaScript.
    function Older(this: object): void {}
    Older.prototype.call = () => 0
    function plain(): number {
      return 0
    }
    plain.toString = () => 'class plain {}'
    class Hidden extends Base {
      static override toString = (): string => 'function () {}'
    }
    const functions = [plain, () => 0, async () => 0, { method: () => 0 }.method, function* () {}]
    for (const each of functions) expect(customFunction(each)?.call).toBe(each)
    for (const each of [Hidden, Dropper, Older, Map]) expect(customFunction(each)).toBeNull()
  })

  it('validates options against each other once all are set', () => {
    class Between extends configured(Configured, () => ({ low: option(number(), 0), high: option(number(), 1) })) {
      protected override checkOptions(): void {
        if (this.low > this.high) throw new ArgumentError('low > high')
      }
    }
    expect(messageOf(() => new Between({ low: 2 }))).toBe('low > high')
    expect(new Between({ low: 2, high: 3 }).high).toBe(3)
  })

  it('types its constructor and its properties', () => {
    expectTypeOf(Dropper).toBeConstructibleWith({ rate: 0.5 })
    expectTypeOf(Dropper).toBeConstructibleWith(0.5)
    expectTypeOf(Base).toBeConstructibleWith()
    expectTypeOf<ConstructorParameters<typeof Dropper>>().not.toEqualTypeOf<[]>()
    expectTypeOf<Dropper['rate']>().toEqualTypeOf<number>()
    expectTypeOf<Dropper['seed']>().toEqualTypeOf<number | null>()
    // @ts-expect-error rate is required
    expect(() => new Dropper({})).toThrow('needs rate')
    // @ts-expect-error a number
    expect(() => new Dropper({ rate: 'half' })).toThrow('rate must be')
    // @ts-expect-error no such option
    expect(() => new Dropper({ rate: 0, rat: 1 })).toThrow('Unknown option')
  })
})

describe('kinds', () => {
  const read = (kind: { read(value: unknown, where: string): unknown }, value: unknown) => kind.read(value, 'x')
  it.each<[string, { read(value: unknown, where: string): unknown }, unknown[], [unknown, string][]]>([
    [
      'number',
      number(),
      [0, -1.5, 3.4e38],
      [
        [NaN, 'a finite number, received NaN'],
        [Infinity, 'Infinity'],
        [3.5e38, 'received 3.5e+38'],
        ['1', "received '1'"],
        [null, 'received null'],
      ],
    ],
    ['number ≥', number({ min: 0 }), [0, 1], [[-1, 'a finite number ≥ 0, received -1']]],
    ['number ≤', number({ max: 0 }), [0, -1], [[1, 'a finite number ≤ 0']]],
    ['number >', number({ above: 0 }), [1e-9], [[0, 'a finite number > 0, received 0']]],
    ['number <', number({ below: 1 }), [0], [[1, 'a finite number < 1']]],
    ['number in', number({ min: 0, below: 1 }), [0], [[1, 'in [0, 1)']]],
    [
      'integer',
      integer(),
      [0, -3, 2 ** 40],
      [
        [0.5, 'an integer, received 0.5'],
        [2 ** 60, 'an integer'],
        [true, 'received true'],
      ],
    ],
    ['count', count, [1, 7], [[0, 'an integer ≥ 1, received 0']]],
    [
      'boolean',
      boolean,
      [true, false],
      [
        [1, 'true or false, received 1'],
        [null, 'true or false'],
      ],
    ],
    [
      'text',
      text,
      ['a'],
      [
        ['', "a non-empty string, received ''"],
        [3, 'received 3'],
      ],
    ],
    ['nullable', nullable(count), [null, 2], [[0, '≥ 1']]],
    [
      'listOf',
      listOf(count, 2),
      [[1, 2]],
      [
        [[1], 'an array of 2, received [1]'],
        [[1, 0], 'x[1] must be an integer ≥ 1'],
        [5, 'an array, received 5'],
      ],
    ],
    [
      'recordOf',
      recordOf(number()),
      [{ 0: 1, 1: 2.5 }],
      [
        [{ a: 'b' }, "x.a must be a finite number, received 'b'"],
        [[1], 'an object, received [1]'],
      ],
    ],
    [
      'extents',
      extents(-1),
      [[1, -1]],
      [
        [[0], 'must hold integers ≥ 1 or -1, received [0]'],
        [[null], '[null]'],
        [3, 'an array such as [8]'],
      ],
    ],
    ['either', either(number(), text, (value) => typeof value === 'number'), [1, 'a'], [[false, 'a non-empty string']]],
  ])('%s', (_name, kind, good, bad) => {
    for (const value of good) expect(read(kind, value)).toEqual(value)
    for (const [value, message] of bad) expect(messageOf(() => read(kind, value))).toContain(message)
  })

  it('choice, in every spelling', () => {
    const kind = choice('fanIn', 'fanOut')
    expect(['fanIn', 'fan_in', 'FAN_OUT'].map((word) => read(kind, word))).toEqual(['fanIn', 'fanIn', 'fanOut'])
    expect(messageOf(() => read(kind, 'fan'))).toBe("x must be 'fanIn' or 'fanOut', received 'fan'")
    expect(messageOf(() => read(kind, 3))).toContain('received 3')
  })

  it('named objects by name, instance and config', () => {
    const kind = named(regularizerRegistry)
    const own = new regularizers.L2(0.5)
    expect(kind.read(own, 'x')).toBe(own)
    expect(kind.read('l2', 'x')).toEqual(new regularizers.L2())
    expect(kind.read(kind.write(own), 'x')).toEqual(own)
  })

  it('custom', () => {
    const kind = custom(
      (value) => Number(value),
      (value) => String(value),
    )
    expect(kind.write(kind.read('5', 'x'))).toBe('5')
  })
})

describe('options of a function', () => {
  const table = { delta: option(number({ above: 0 }), 1) }
  it('are read through their table, or through the table of an object', () => {
    expect(functionOptions('huber', table, {})).toEqual({ delta: 1 })
    expect(readOptions('huber', table, undefined)).toEqual({ delta: 1 })
    const loss = new losses.Huber({ delta: 3 })
    expect(functionOptions('huber', table, loss).delta).toBe(3)
    expect(messageOf(() => losses.huber([1], [2], { detla: 5 } as never))).toBe(
      "Unknown option of huber 'detla'. Did you mean 'delta'?",
    )
    expect(messageOf(() => losses.huber([1], [2], { delta: 0 }))).toContain('huber: delta must be')
  })
})

describe('unknown options are refused', () => {
  it.each<[() => unknown, string]>([
    [() => new Adam({ lr: 1 } as never), "'lr'. Did you mean 'learningRate'?"],
    [() => new SGD({ momentun: 1 } as never), "Did you mean 'momentum'?"],
    [() => new RMSprop({ roh: 1 } as never), "Did you mean 'rho'?"],
    [() => new AdamW({ weigthDecay: 1 } as never), "Did you mean 'weightDecay'?"],
    [() => new losses.Huber({ detla: 5 } as never), "Unknown option of Huber 'detla'. Did you mean 'delta'?"],
    [() => new losses.MeanSquaredError({ reducton: 'sum' } as never), "Did you mean 'reduction'?"],
    [() => new regularizers.L2({ l3: 1 } as never), "Did you mean 'l2'?"],
    [() => new regularizers.L1L2({ l3: 1 } as never), "'l3'"],
    [() => new initializers.RandomNormal({ std: 1 } as never), "Did you mean 'stddev'?"],
    [() => new initializers.GlorotUniform({ sede: 1 } as never), "Did you mean 'seed'?"],
    [() => new initializers.Zeros({ value: 1 } as never), "'value'"],
    [() => new metrics.BinaryAccuracy({ treshold: 1 } as never), "Did you mean 'threshold'?"],
    [() => new metrics.AUC({ numTresholds: 5 } as never), "Did you mean 'numThresholds'?"],
    [() => new metrics.Mean({ nmae: 'm' } as never), "Did you mean 'name'?"],
    [() => new CosineDecay({ initialLearningRate: 1, decaySteps: 1, alhpa: 1 } as never), "Did you mean 'alpha'?"],
    [
      () => new ExponentialDecay({ initialLearningRate: 1, decaySteps: 1, decayRate: 1, stair: true } as never),
      "Did you mean 'staircase'?",
    ],
    [() => new PiecewiseConstantDecay({ boundaries: [], values: [1], vals: 1 } as never), "'vals'"],
    [() => new EarlyStopping({ patients: 3 } as never), "Did you mean 'patience'?"],
    [() => new LambdaCallback({ onEpochEn: () => {} } as never), "Did you mean 'onEpochEnd'?"],
    [
      () => new LambdaCallback(null as never),
      'LambdaCallback takes functions by the names of events, { onEpochEnd: … }, received null',
    ],
    [
      () => new LambdaCallback({ on_epoch_end: 5 } as never),
      'LambdaCallback: onEpochEnd must be a function, received 5',
    ],
    [
      () => new MultiOptimizer({ optimizers: [['sgd']], clipnorm: 1 } as never),
      'multiOptimizer: clipnorm has no effect here. Set it in the single optimizers',
    ],
    [
      () => new MultiOptimizer({ optimizers: [['sgd']], learningRate: 0.1 } as never),
      'learningRate has no effect here',
    ],
    [() => new MultiOptimizer({ optimizers: [['sgd']], learning_rate: 0.001 } as never), 'learningRate has no effect'],
    [() => new MultiOptimizer({ optimizers: [['sgd']], useEma: true } as never), 'useEma'],
    [() => new MultiOptimizer({ optimizers: [['sgd']], emaMomentum: 0.5 } as never), 'emaMomentum'],
    [() => new MultiOptimizer({ optimizers: [['sgd']], groups: [{ match: 'a', weightDecay: 0 }] } as never), 'groups'],
    [() => new InputLayer({ shape: [2], inputShape: [3] }), 'inputShape has no effect here. Use shape instead.'],
    [() => new InputLayer({ shape: [2], inputDim: 3 }), 'inputDim has no effect here'],
  ])('%#', (make, message) => {
    expect(messageOf(make)).toContain(message)
  })
})

describe('invalid values', () => {
  it.each<[() => unknown, string]>([
    [() => new Adam({ epsilon: NaN }), 'Adam: epsilon must be a finite number ≥ 0, received NaN'],
    [
      () => new Adam({ learningRate: '1' as never }),
      "Adam: learningRate must be a number ≥ 0, a schedule or a function of the step, received '1'",
    ],
    [
      () => new Adam({ learningRate: CosineDecay as never }),
      'Adam: learningRate must be a number ≥ 0, a schedule or a function of the step, received the class CosineDecay. Pass an instance',
    ],
    [() => new SGD({ learningRate: 3.5e38 }), 'SGD: learningRate'],
    [
      () => new SGD({ learningRate: 3e38 }),
      'SGD: learningRate must be at most 1e+15, beyond which float32 cannot hold updates, received 3e+38',
    ],
    [() => (new SGD().learningRate = 1e20), 'learningRate must be at most 1e+15'],
    [() => new SGD({ nesterov: 1 as never }), 'nesterov must be true or false'],
    [() => new SGD({ weightDecay: -1 }), 'weightDecay must be a finite number ≥ 0'],
    [() => new SGD({ gradientAccumulationSteps: 1 }), 'gradientAccumulationSteps must be an integer ≥ 2'],
    [() => new SGD({ useEma: true, emaMomentum: 2 }), 'emaMomentum must be a finite number in [0, 1]'],
    [() => new SGD({ emaOverwriteFrequency: 0 }), 'emaOverwriteFrequency must be an integer ≥ 1'],
    [() => new SGD({ groups: [{ match: 'a', learningRate: -1 }] }), 'ParameterGroup: learningRate'],
    [() => new SGD({ groups: [{ learningRate: 1 } as never] }), 'ParameterGroup: needs match'],
    [() => new SGD({ groups: [{ match: 5 as never }] }), "match must be a part of a weight's name"],
    [() => new MultiOptimizer({ optimizers: [] }), 'must not be empty'],
    [() => new MultiOptimizer({ optimizers: ['sgd' as never] }), 'optimizers[0] must be [optimizer, weights]'],
    [
      () => new MultiOptimizer({ optimizers: [[new MultiOptimizer({ optimizers: [['sgd']] })]] }),
      'MultiOptimizer: optimizers[0][0] must be a single optimizer, received a MultiOptimizer',
    ],
    [
      () => new losses.MeanSquaredError({ reduction: 'avg' as never }),
      "reduction must be 'sumOverBatchSize' or 'mean' or",
    ],
    [() => new losses.MeanSquaredError({ dtype: 'float16' as never }), "dtype must be 'float32', received 'float16'"],
    [() => new losses.BinaryCrossentropy({ axis: 0.5 }), 'axis must be an integer'],
    [
      () => new metrics.Precision({ thresholds: [0.5, 2] }),
      'Precision: thresholds[1] must be a finite number in [0, 1], received 2',
    ],
    [() => new metrics.Precision({ thresholds: [] }), 'thresholds must not be empty'],
    [() => new metrics.Recall({ topK: 0 }), 'topK must be an integer ≥ 1'],
    [() => new metrics.AUC({ numLabels: 3 }), 'numLabels needs multiLabel'],
    [() => new metrics.AUC({ labelWeights: [-1] }), 'labelWeights[0] must be a finite number ≥ 0'],
    [() => new metrics.TopKCategoricalAccuracy({ k: 0 }), 'k must be an integer ≥ 1'],
    [() => new initializers.RandomUniform({ minval: 2, maxval: 1 }), 'minval must not be larger than maxval'],
    [
      () => new initializers.VarianceScaling({ mode: 'fan' as never }),
      "mode must be 'fanIn' or 'fanOut' or 'fanAvg', received 'fan'",
    ],
    [
      () => new initializers.Constant('x' as never),
      "Constant: value must be a finite number or nested lists of finite numbers, received 'x'",
    ],
    [() => new EarlyStopping({ mode: 'up' as never }), "mode must be 'auto' or 'min' or 'max'"],
    [() => new EarlyStopping({ patience: -1 }), 'patience must be an integer ≥ 0'],
    [() => (new SGD().learningRate = NaN), 'learningRate must be a finite number ≥ 0, received NaN'],
  ])('%#', (make, message) => {
    expect(messageOf(make)).toContain(message)
  })
})

describe('Keras spellings', () => {
  it('of names and values', () => {
    expect(new initializers.VarianceScaling({ mode: 'fan_in', distribution: 'untruncated_normal' })).toMatchObject({
      mode: 'fanIn',
      distribution: 'untruncatedNormal',
    })
    expect(new initializers.VarianceScaling({ distribution: 'normal' }).distribution).toBe('truncatedNormal')
    expect(new losses.MeanSquaredError({ reduction: 'sum_over_batch_size' }).reduction).toBe('sumOverBatchSize')
    expect(new losses.MeanSquaredError({ reduction: null }).reduction).toBe('none')
    expect(new losses.MeanSquaredError({ reduction: 'mean_with_sample_weight' }).reduction).toBe('meanWithSampleWeight')
    expect(new metrics.AUC({ curve: 'pr', summation_method: 'Majoring' } as never)).toMatchObject({
      curve: 'PR',
      summationMethod: 'majoring',
    })
    expect(new EarlyStopping({ monitor: 'val_accuracy', restore_best_weights: true } as never)).toMatchObject({
      monitor: 'val_accuracy',
      restoreBestWeights: true,
    })
    expect(new Adam({ beta_1: 0.5, learning_rate: 0.25, global_clipnorm: 2 } as never)).toMatchObject({
      beta1: 0.5,
      learningRate: 0.25,
      globalClipnorm: 2,
    })
    expect(
      optimizers.get({ className: 'SGD', config: { gradient_accumulation_steps: 3 } }).gradientAccumulationSteps,
    ).toBe(3)
  })
})

it('a class passed as an instance is reported under its registered name, even if a bundler renamed it', () => {
  class MeanSquaredError$1 extends losses.MeanSquaredError {
    static override readonly className = 'MeanSquaredError'
  }
  expect(messageOf(() => getLoss(MeanSquaredError$1 as never))).toContain(
    'received the class MeanSquaredError. Pass an instance: new MeanSquaredError()',
  )
})

describe('configurations', () => {
  it.each<[Configured]>([
    [new Adam({ amsgrad: true, learningRate: 0.5 })],
    [new AdamW()],
    [new SGD({ momentum: 0.5, nesterov: true })],
    [new RMSprop({ centered: true })],
    [new Adam({ learningRate: new CosineDecay({ initialLearningRate: 0.5, decaySteps: 7 }) })],
    [
      new SGD({
        groups: [{ match: /^encoder/g, learningRate: 0.125, weightDecay: 0 }, { match: ['a', 'b'] }],
        noWeightDecay: ['bias', /beta$/],
      }),
    ],
    [new MultiOptimizer({ optimizers: [[new SGD({ learningRate: 0.125 }), 'a'], ['adam']] })],
    [new losses.Huber({ delta: 2 })],
    [new losses.SparseCategoricalCrossentropy({ ignoreClass: -1 })],
    [new losses.BinaryCrossentropy({ axis: 1, reduction: null })],
    [new metrics.Precision({ thresholds: [0.25, 0.5], topK: 3 })],
    [new metrics.Recall({ classId: 2 })],
    [new metrics.AUC({ multiLabel: true, labelWeights: [1, 2] })],
    [new metrics.BinaryAccuracy({ threshold: 0.25 })],
    [new initializers.Orthogonal({ gain: 2, seed: 3 })],
    [new initializers.HeNormal()],
    [new initializers.Constant(0.5)],
    [new regularizers.L1(0.5)],
    [new regularizers.L1L2({ l1: 0.5 })],
    [new EarlyStopping({ patience: 3 })],
    [new PiecewiseConstantDecay({ boundaries: [1], values: [1, 0.5] })],
    [new ExponentialDecay({ initialLearningRate: 1, decaySteps: 2, decayRate: 0.5 })],
  ])('%o makes an equal object', (object) => {
    const saved = JSON.parse(JSON.stringify(object.getConfig()))
    const again = construct(object.constructor, saved)
    expect(again).toBeInstanceOf(object.constructor)
    expect((again as Configured).getConfig()).toEqual(object.getConfig())
  })
})

describe('names of Object.prototype', () => {
  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf'])('%s is not a known name', (name) => {
    const all: readonly (() => unknown)[] = [
      () => getActivation(name),
      () => getLoss(name),
      () => getMetric(name, { target: [1, 1], output: [1, 1] }),
      () => getOptimizer(name),
      () => initializerRegistry.get(name),
      () => regularizerRegistry.get(name),
      () => schedules.get({ className: name, config: {} }),
    ]
    for (const get of all) {
      expect(messageOf(() => customObjectScope({}, get))).toContain(`'${name}'`)
      expect(messageOf(() => customObjectScope(JSON.parse('{}'), get))).toMatch(/^Unknown/)
    }
  })
})

describe('custom objects in scope', () => {
  it('are found by name, also as plain functions, until the scope ends', () => {
    class Twice extends initializers.Ones {
      static override readonly className = 'Twice'
    }
    const far = (yTrue: never) => yTrue
    customObjectScope({ Twice, far }, () => {
      expect(initializerRegistry.get('Twice')).toBeInstanceOf(Twice)
      expect(getLoss('far').name).toBe('far')
      expect(getMetric('far', { target: [1], output: [1] }).name).toBe('far')
      expect(getActivation('far').name).toBe('far')
    })
    expect(messageOf(() => initializerRegistry.get('Twice'))).toContain("Unknown initializer 'Twice'")
    expect(messageOf(() => getLoss('far'))).toContain("Unknown loss 'far'")
  })

  it('of another kind are refused', () => {
    expect(
      messageOf(() =>
        customObjectScope(
          {
            Odd: class Odd {
              kind = 'odd'
            },
          },
          () => getLoss('Odd'),
        ),
      ),
    ).toBe('customObjects.Odd is not a loss')
    expect(messageOf(() => getLoss(losses.Huber as never))).toContain('Pass an instance: new Huber()')
  })
})

describe('types of the exported options', () => {
  it('follow from the tables', () => {
    expectTypeOf<AdamOptions['beta1']>().toEqualTypeOf<number | undefined>()
    expectTypeOf<AdamOptions['weightDecay']>().toEqualTypeOf<number | null | undefined>()
    expectTypeOf<EarlyStoppingOptions['patience']>().toEqualTypeOf<number | undefined>()
    expectTypeOf(new Adam().learningRate).toExtend<number>()
    expectTypeOf(new metrics.Precision().thresholds).toEqualTypeOf<number | readonly number[] | null>()
    expect(new (class extends Callback {})()).toBeInstanceOf(Callback)
  })
})
