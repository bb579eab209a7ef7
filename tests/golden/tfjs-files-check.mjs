// Checks files that myelin wrote with the real TensorFlow.js:
//
//   mkdir /tmp/files && TFJS_FILES=/tmp/files npx vitest run --project simd tests/files/tfjs/write.test.ts
//   TFJS=/tmp/tfjs node tests/golden/tfjs-files-check.mjs /tmp/files        see tfjs.mjs
//
// Each folder has model.json with its weights, and golden.json: { x, y } are inputs and predictions; { x, targets, loss, weights } are three
// epochs of fit from the file.

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { loadModel, plain, tf } from './tfjs.mjs'

const folder = process.argv[2]
const leaves = (value) => ('data' in value && 'shape' in value ? [value] : Object.values(value).flatMap(leaves))
const tensors = (value) =>
  leaves(value).map(({ shape, data }) => tf.tensor(data, shape, data.every(Number.isInteger) ? 'int32' : 'float32'))

function difference(received, expected) {
  if (received.length !== expected.length) return `${received.length} tensors instead of ${expected.length}`
  let worst = 0
  for (const [i, { shape, data }] of received.entries()) {
    const other = expected[i]
    if (String(shape) !== String(other.shape)) return `shape [${shape}] instead of [${other.shape}]`
    const scale = Math.max(1, ...other.data.map(Math.abs))
    for (const [j, each] of data.entries()) worst = Math.max(worst, Math.abs(each - other.data[j]) / scale)
  }
  return worst
}

async function check(name) {
  const path = join(folder, name)
  const json = JSON.parse(readFileSync(join(path, 'model.json'), 'utf8'))
  const bytes = Buffer.concat(
    json.weightsManifest.flatMap(({ paths }) => paths.map((each) => readFileSync(join(path, each)))),
  )
  const { x, y, targets, loss, weights } = JSON.parse(readFileSync(join(path, 'golden.json'), 'utf8'))
  const model = await loadModel(json, new Uint8Array(bytes))
  const inputs = tensors(x)
  if (targets === undefined) {
    const outputs = model.predict(inputs.length === 1 ? inputs[0] : inputs)
    return [difference((Array.isArray(outputs) ? outputs : [outputs]).map(plain), leaves(y)), 1e-5]
  }
  const { history } = await model.fit(inputs[0], tensors(targets)[0].toFloat(), {
    batchSize: 4,
    epochs: 3,
    shuffle: false,
    verbose: 0,
  })
  const losses = difference([{ shape: [3], data: history.loss }], [{ shape: [3], data: loss }])
  const own = difference(model.getWeights().map(plain), weights)
  return [typeof losses === 'string' || typeof own === 'string' ? `${losses}, ${own}` : Math.max(losses, own), 1e-4]
}

let failures = 0
for (const name of readdirSync(folder)) {
  const [found, limit] = await check(name).catch((error) => [String(error), 0])
  const isRight = typeof found === 'number' && found < limit
  console.log(
    `${isRight ? 'ok    ' : 'FAILED'}  ${name}: ${typeof found === 'number' ? found.toExponential(1) : found}`,
  )
  if (!isRight) failures++
}
if (failures > 0) throw new Error(`${failures} files failed`)
