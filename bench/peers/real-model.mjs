// One model in myelin and in onnxruntime-web: what both answer, and interleaved times. Runs in Node and in pages.

import { interleave, median, ratio } from './measure.mjs'
import { random } from './random.mjs'

/** The numbers of the inputs of a model: the same in every run, in Node and in pages. */
export function inputsOf({ inputs }) {
  const next = random(7)
  return Object.entries(inputs).map(([name, [type, shape, most]]) => {
    const size = shape.reduce((product, extent) => product * extent, 1)
    const values =
      type === 'float32'
        ? Float32Array.from({ length: size }, () => next() * 2 - 1)
        : Int32Array.from({ length: size }, () => (typeof most === 'number' ? Math.floor(next() * most) : most[0]))
    return { name, type, shape, values }
  })
}

/** What a session of ONNX Runtime takes, by names. */
export function feedsOf({ Tensor }, inputs) {
  return Object.fromEntries(
    inputs.map(({ name, type, shape, values }) => {
      const data = type === 'int64' ? BigInt64Array.from(values, BigInt) : values
      return [name, new Tensor(type, data, shape)]
    }),
  )
}

/** The largest difference of outputs, each relative to the largest of its numbers. */
export function differenceOf(expected, received, names) {
  return Math.max(
    ...names.map((name) => {
      let [error, largest] = [0, Number.MIN_VALUE]
      expected[name].data.forEach((value, i) => {
        error = Math.max(error, Math.abs(Number(value) - Number(received[name].data[i])))
        largest = Math.max(largest, Math.abs(Number(value)))
      })
      return error / largest
    }),
  )
}

/**
 * Opens a model in both and predicts by turns.
 * @returns the outputs of both, by names, the medians of their times in milliseconds, and the ratio of these
 * @throws if the outputs differ
 */
export async function compare({ myelin, web, bytes, model, rounds, clock }) {
  const { constants = {} } = model
  const session = await web.InferenceSession.create(bytes, { executionProviders: ['wasm'] })
  const inputs = inputsOf(model).filter(({ name }) => session.inputNames.includes(name))
  if (inputs.length < session.inputNames.length)
    throw new Error(`${model.path}: has the inputs ${session.inputNames.join(', ')}`)
  const opened = await myelin.loadOnnx(bytes, { constants })
  const data = inputs.filter(({ name }) => !(name in constants))
  const tensors = data.map(({ values, shape, type }) =>
    myelin.tensor(values, shape, type === 'float32' ? type : 'int32'),
  )
  const x = data.length === 1 ? tensors[0] : Object.fromEntries(data.map(({ name }, i) => [name, tensors[i]]))
  const outputs = await opened.predict(x)
  const names = session.outputNames
  const ours = names.length === 1 ? { [names[0]]: outputs } : outputs
  const feeds = feedsOf(web, inputs)
  const theirs = await session.run(feeds)
  const difference = differenceOf(theirs, ours, names)
  if (!(difference < 2e-3)) throw new Error(`${model.path}: outputs differ by ${difference} of the largest`)

  const samples = await interleave(
    [
      { name: 'ours', call: () => opened.predict(x) },
      { name: 'theirs', call: () => session.run(feeds) },
    ],
    { rounds, warmUpMs: 600, sampleMs: 100, clock },
  )
  const times = [samples.get('ours'), samples.get('theirs')]
  return { ours, theirs, names, milliseconds: times.map(median), ratio: ratio(times[1], times[0]) }
}
