// loadModel with the layers that it is given: of myelin/predict, and the option of loadModel.
// modes: simd

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  Dense,
  Dropout,
  FormatError,
  Input,
  Layer,
  Model,
  Sequential,
  loadModel,
  type Tensor,
} from '../../src'
import { loadModel as loadForPrediction } from '../../src/entries/predict'
import { errorOf } from '../helpers/training'

class Twice extends Layer {
  static className = 'Twice'
  override call(x: Tensor): Tensor {
    return x
  }
}

function trained(): Sequential {
  const model = new Sequential([
    new Dense({ units: 4, activation: 'tanh', inputShape: [3], kernelRegularizer: 'l2' }),
    new Dropout({ rate: 0.5 }),
    new Dense({ units: 2 }),
  ])
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError', metrics: ['mae'] })
  model.trainOnBatch([[1, 2, 3]], [[1, 0]])
  return model
}
const x = [
  [1, 2, 3],
  [0.5, -1, 4],
]

describe.each([
  ['myelin', loadModel],
  ['myelin/predict', loadForPrediction],
] as const)('loadModel of %s', (_, load) => {
  it('opens a file whose layers it is given', async () => {
    const model = trained()
    const copy = await load(await model.save(), { layers: [Dense, Dropout] })
    expect(copy.predictOnBatch(x).toArray()).toEqual(model.predictOnBatch(x).toArray())
  })

  it('opens a graph', async () => {
    const input = Input([3])
    const [a, b] = [new Dense({ units: 2 }).apply(input), new Dense({ units: 2 }).apply(input)]
    const model = new Model({ inputs: input, outputs: [a, b] })
    const copy = await load<Tensor, Tensor[]>(await model.save(), { layers: [Dense] })
    expect(copy.predictOnBatch(x).map((each) => each.toArray())).toEqual(
      model.predictOnBatch(x).map((each) => each.toArray()),
    )
  })

  it('refuses a file with other layers, and names the layer', async () => {
    const file = await trained().save()
    const error = await errorOf(async () => void (await load(file, { layers: [Dense] })))
    expect(error).toBeInstanceOf(ArgumentError)
    expect(error.message).toContain("'Dropout'")
  })

  it('knows own layers among the layers and among customObjects', async () => {
    const file = await new Sequential([new Dense({ units: 1, inputShape: [3] }), new Twice()]).save()
    expect((await load(file, { layers: [Dense, Twice] })).layers).toHaveLength(2)
    expect((await load(file, { layers: [Dense], customObjects: { Twice } })).layers).toHaveLength(2)
  })

  it('refuses what is no class of layers', async () => {
    const file = await trained().save()
    // @ts-expect-error: an instance
    await expect(load(file, { layers: [new Dense({ units: 1 })] })).rejects.toThrow(/layers must be classes of layers/)
  })

  it('refuses damaged files', async () => {
    await expect(load(Uint8Array.of(1, 2, 3), { layers: [Dense] })).rejects.toThrow(FormatError)
  })
})

it('myelin/predict needs layers, and leaves the model uncompiled', async () => {
  const file = await trained().save()
  // @ts-expect-error: layers are missing
  await expect(loadForPrediction(file, {})).rejects.toThrow(/layers/)
  const copy = await loadForPrediction(file, { layers: [Dense, Dropout] })
  expect(() =>
    copy.trainOnBatch(x, [
      [1, 0],
      [0, 1],
    ]),
  ).toThrow(/compile/)
  const whole = await loadModel(file, { layers: [Dense, Dropout] })
  whole.trainOnBatch(x, [
    [1, 0],
    [0, 1],
  ])
})

it('loadModel refuses layers for a file of another format', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-layers-'))
  try {
    await new Sequential([new Dense({ units: 1, inputShape: [3] })]).save(join(folder, 'model.keras'))
    await expect(loadModel(join(folder, 'model.keras'), { layers: [Dense] })).rejects.toThrow(
      /layers are for files of this library/,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})
