// The user's classes that have the name of a class of the library, as which a file would load them.
// modes: simd

import { describe, expect, it } from 'vitest'
import {
  Dense as BuiltIn,
  Input,
  Layer,
  Model,
  MyelinError,
  SGD,
  Sequential,
  TimeDistributed,
  constraints,
  initializers,
  losses,
  metrics,
  models,
  regularizers,
  saving,
  schedules,
  type Tensor,
} from '../../src'
import { writeKeras } from '../../src/entries/keras'
import { writeTfjs } from '../../src/entries/tfjs'
import { errorOf } from '../helpers/training'

describe('classes with the name of another one of the library', () => {
  class Accuracy extends metrics.Mean {}
  class Dense extends Layer {
    override call(value: unknown) {
      return value as Tensor
    }
  }
  class MeanSquaredError extends losses.MeanAbsoluteError {}
  class GlorotUniform extends initializers.Zeros {}
  class L2 extends regularizers.L1 {}
  class NonNeg extends constraints.UnitNorm {}
  class Adam extends SGD {}
  class CosineDecay extends schedules.ExponentialDecay {}
  class Short extends metrics.Mean {
    static override readonly className = 'MSE'
  }

  class OwnSequential extends Sequential {
    static override readonly className = 'Sequential'
  }
  class Functional extends Model {}

  const of = Input({ shape: [4] })
  const input = () => Input({ shape: [4] })
  const decay = () => new CosineDecay({ initialLearningRate: 0.1, decaySteps: 3, decayRate: 0.5 })
  const compiled = (options: Parameters<Sequential['compile']>[0]) => {
    const model = new Sequential([input(), new BuiltIn(3)])
    model.compile({ loss: 'mse', ...options })
    return model
  }
  it.each<[string, () => Sequential]>([
    ['Accuracy', () => compiled({ metrics: [new Accuracy()] })],
    ['Accuracy', () => compiled({ weightedMetrics: [[new Accuracy()]] })],
    ['MSE', () => compiled({ metrics: [new Short()] })],
    ['MeanSquaredError', () => compiled({ loss: new MeanSquaredError() })],
    ['Adam', () => compiled({ optimizer: new Adam() })],
    ['CosineDecay', () => compiled({ optimizer: new SGD(decay()) })],
    ['Dense', () => new Sequential([input(), new Dense()])],
    ['Dense', () => new Sequential([input(), new Sequential([new Dense()])])],
    ['Dense', () => new Sequential([Input({ shape: [4, 2] }), new TimeDistributed(new Dense())])],
    ['Sequential', () => new OwnSequential([input(), new BuiltIn(3)])],
    ['Sequential', () => new Sequential([input(), new OwnSequential([new BuiltIn(3)])])],
    ['Functional', () => new Functional({ inputs: of, outputs: new BuiltIn(3).apply(of) }) as Model as Sequential],
    ['GlorotUniform', () => new Sequential([input(), new BuiltIn(3, { kernelInitializer: new GlorotUniform() })])],
    ['L2', () => new Sequential([input(), new BuiltIn(3, { kernelRegularizer: new L2() })])],
    ['NonNeg', () => new Sequential([input(), new BuiltIn(3, { kernelConstraint: new NonNeg() })])],
  ])('are refused by all that writes files: %s', async (name, made) => {
    for (const save of [() => made().save(), () => writeKeras(made()), () => writeTfjs(made())]) {
      const error = await errorOf(save)
      expect(error).toBeInstanceOf(MyelinError)
      expect(error.message).toBe(
        `The class '${name}' cannot be saved: another one has this name. Give it another name: static className = 'My${name}'`,
      )
    }
  })

  it('are refused as objects', () => {
    expect(() => saving.serializeKerasObject(new Accuracy())).toThrow("The class 'Accuracy' cannot be saved")
  })

  it('may be used in the process, and be copied', async () => {
    const model = compiled({ metrics: [new Accuracy()], optimizer: new Adam() })
    await model.fit([[1, 2, 3, 4]], [[1, 2, 3]], { verbose: 0 })
    expect(models.cloneModel(new Sequential([input(), new Dense()])).layers.at(-1)).toBeInstanceOf(Dense)
    await model.save(undefined, { includeOptimizer: false })
  })
})
