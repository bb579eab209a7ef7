// Records the results of Keras on JAX for the cases of layers: check.mjs compares every library with them.
//
//   node record.mjs PYTHON     an interpreter with Keras 3 and JAX; writes references.json
import { writeFileSync } from 'node:fs'
import { pythonAdapter } from './adapters/python.mjs'
import { cases } from './cases.mjs'
import { outcome } from './check.mjs'

const keras = pythonAdapter(process.argv[2], 'keras', { KERAS_BACKEND: 'jax' }, { title: 'Keras' })
await keras.load()
const references = {}
for (const testCase of cases) {
  if (testCase.reference === undefined || testCase.operation === 'predict') continue
  const { predictions, losses } = await outcome(keras, testCase)
  references[testCase.reference] = { losses, predictions: predictions.map((value) => Number(value.toPrecision(8))) }
  console.error(testCase.reference, losses)
}
writeFileSync(
  new URL('references.json', import.meta.url),
  `${JSON.stringify({ keras: keras.version, ...references }, null, 1)}\n`,
)
process.exit()
