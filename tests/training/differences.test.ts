// Documented differences between fit and layers and those of Keras.
// modes: simd
import { expect, it } from 'vitest'
import { Dense, SGD, Sequential, TextVectorization, setRandomSeed } from '../../src'
import { weightsOf } from '../helpers/training'

it('classWeight and sampleWeight multiply', async () => {
  const x = [[1], [2], [3], [4]]
  const y = [0, 1, 1, 0]
  const trained = async (options: object): Promise<readonly (readonly number[])[]> => {
    setRandomSeed(3)
    const model = new Sequential([new Dense({ units: 1, activation: 'sigmoid', inputShape: [1] })])
    model.compile({ optimizer: new SGD({ learningRate: 0.1 }), loss: 'binaryCrossentropy' })
    await model.fit(x, y, { epochs: 3, shuffle: false, verbose: 0, ...options })
    return weightsOf(model)
  }
  const both = await trained({ classWeight: { 0: 1, 1: 3 }, sampleWeight: [1, 2, 0.5, 4] })
  expect(both).toEqual(await trained({ sampleWeight: [1, 6, 1.5, 4] }))
  expect(both).not.toEqual(await trained({ sampleWeight: [1, 2, 0.5, 4] }))
})

it('TextVectorization lowercases all of Unicode, and strips ASCII punctuation', async () => {
  const layer = new TextVectorization()
  await layer.adapt(['ÄRGER! “Ja”… ΣΟΦΙΑ'])
  expect(layer.getVocabulary().slice(2).sort()).toEqual(['ärger', '“ja”…', 'σοφια'].sort())
})
