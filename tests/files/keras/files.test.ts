// Files of several versions of Keras are read, and predict what Keras predicts.

import { describe, expect, it } from 'vitest'
import { FormatError, Dense, Input, Model, Sequential, loadModel, ops, type Tensor } from '../../../src'
import { loadKerasWeights, readKeras } from '../../../src/entries/keras'
import { bytesOf, differenceOf, filesIn, inputsOf, jsonOf, type Golden, type Plain } from './goldens'

const families = ['2.15', '3.0', '3.3', '3.15'].flatMap((version) =>
  [...filesIn(version, '.keras'), ...filesIn(version, '.h5')].filter((path) => !path.includes('lookups')),
)

describe('a file predicts what Keras predicts', () => {
  it.each(families)('%s', async (path) => {
    const model = await readKeras<never, unknown>(bytesOf(path))
    const { x, y } = jsonOf<Golden>(path.replace(/\.\w+$/, '.json'))
    expect(differenceOf(await model.predict(inputsOf(x) as never), y)).toBeLessThan(1e-5)
  })

  it('and has its loss, where a mask reaches the outputs: 3.15/states.keras', async () => {
    const model = await readKeras<never, Tensor[]>(bytesOf('3.15/states.keras'))
    const { x, y, loss } = jsonOf<Golden & { y: Plain[]; loss: number }>('3.15/states.json')
    model.compile({ loss: 'mse' })
    const zeros = y.map(({ shape }) => ops.zeros(shape))
    const results = await model.evaluate(inputsOf(x) as never, zeros as never, { verbose: 0 })
    expect(results.loss).toBeCloseTo(loss, 6)
  })

  it.each(['2.15/lookups', '3.15/lookups'])('with vocabularies in assets: %s', async (path) => {
    const model = await readKeras<never, unknown>(bytesOf(`${path}.keras`))
    const { x, y } = jsonOf<Golden>(`${path}.json`)
    expect(differenceOf(await model.predict(x as never), y)).toBeLessThan(1e-6)
  })
})

describe('loadModel', () => {
  it('finds the format from the content', async () => {
    const model = await loadModel<never, unknown>(bytesOf('3.15/core.keras'))
    const { x, y } = jsonOf<Golden>('3.15/core.json')
    expect(differenceOf(await model.predict(inputsOf(x) as never), y)).toBeLessThan(1e-5)
  })

  it('reads a Blob', async () => {
    const model = await loadModel(new Blob([Uint8Array.from(bytesOf('3.15/merging.keras'))]))
    expect(model.layers.length).toBe(13)
  })

  it('gives layers the names of the file, in the order of Keras', async () => {
    const model = await loadModel(bytesOf('3.15/graph.keras'))
    expect(model.getLayer('shared').weights[0]!.shape).toEqual([4, 4])
    expect(model.inputs.map(({ shape }) => shape)).toEqual([
      [null, 4],
      [null, 4],
      [null, 5],
    ])
  })
})

describe('weights into a model that is made in code', () => {
  const made = (units: number): Sequential =>
    new Sequential([
      new Dense({ units: 5, activation: 'tanh', inputShape: [4] }),
      new Dense({ units, activation: 'softmax' }),
    ])

  it('fit by classes and order', async () => {
    const file = await readKeras(bytesOf('3.15/core.keras'))
    const x = Input([5])
    const dense = ['linear', 'relu', 'gelu'].map((activation, i) =>
      new Dense({ units: [3, 2, 4][i]!, activation: activation as 'relu', useBias: i !== 1 }).apply(x),
    )
    const model = new Model({ inputs: x, outputs: dense })
    // The file has more layers than these.
    await expect(loadKerasWeights(model, bytesOf('3.15/core.keras'))).rejects.toThrow(
      /the file has weights at layers\/dense_3/,
    )
    expect(file.getLayer('dense').weights[0]!.shape).toEqual([5, 3])
  })

  it('are loaded by loadWeights, too, once loadModel was called', async () => {
    const model = await loadModel(bytesOf('3.15/core.keras'))
    const before = model.getWeights().map(({ data }) => Array.from(data))
    model.setWeights(model.getWeights().map((weight) => ops.multiply(weight, 0)))
    await model.loadWeights(bytesOf('3.15/core.h5'))
    expect(model.getWeights().map(({ data }) => Array.from(data))).toEqual(before)
  })

  it('are refused by name if they do not fit, and then nothing is changed', async () => {
    const model = made(3)
    const before = model.getWeights().map(({ data }) => Array.from(data))
    const error = await loadKerasWeights(model, bytesOf('3.15/training/sgd.keras')).catch((each: unknown) => each)
    expect(error).toBeInstanceOf(FormatError)
    expect(String(error)).toContain('the file has weights at layers/batch_normalization')
    expect(model.getWeights().map(({ data }) => Array.from(data))).toEqual(before)
  })
})

describe('what this library does not have', () => {
  it('is named in one error, with the layers', async () => {
    const { ObjectReader } = await import('../../../src/files/keras/objects')
    const layer = (name: string, className: string) => ({
      module: 'other',
      class_name: className,
      config: { name },
      registered_name: null,
    })
    const config = {
      class_name: 'Sequential',
      config: { name: 's', layers: [layer('a', 'Fancy'), layer('b', 'Odd'), layer('c', 'Fancy')] },
    }
    const read = (): unknown => ObjectReader.model(config, {})
    expect(read).toThrow(/Fancy \('a', 'c'\), Odd \('b'\)/)
    expect(read).toThrow(FormatError)
  })

  it('a Lambda calls only the function of the user', async () => {
    const { ObjectReader } = await import('../../../src/files/keras/objects')
    const config = {
      class_name: 'Sequential',
      config: {
        name: 's',
        layers: [
          { class_name: 'InputLayer', config: { batch_shape: [null, 2], name: 'x' } },
          {
            class_name: 'Lambda',
            config: {
              name: 'twice',
              function: { class_name: '__lambda__', config: { code: 'aW1wb3J0IG9z', defaults: null, closure: null } },
              arguments: {},
            },
          },
        ],
      },
    }
    expect(() => ObjectReader.model(config, {})).toThrow(/'twice': the function of a Lambda is Python/)
    const twice = (x: never): unknown => ops.multiply(x, 2)
    expect(ObjectReader.model(config, { twice }).config['layers']).toMatchObject([
      {},
      { config: { function: 'twice' } },
    ])
  })
})
