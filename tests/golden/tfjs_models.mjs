// Runs graph-models of packages in TensorFlow.js 4.22, for tests/files/tfjs/graph/packages.test.ts. The files are too large for this repository.
//
//   npm install --no-save @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 \
//     @tensorflow/tfjs-converter@4.22.0
//   npm pack @vladmandic/human@3.3.6 @spotify/basic-pitch@1.0.1     # and unpack them
//   node tfjs_models.mjs FOLDER package/models/*.json package/model/model.json
//   TFJS_MODELS=FOLDER npx vitest run --project simd tests/files/tfjs/graph/packages.test.ts

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import '@tensorflow/tfjs-backend-cpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { GraphModel } from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'

const [, , folder, ...paths] = process.argv
mkdirSync(folder, { recursive: true })
setWasmPaths(join(process.cwd(), 'node_modules/@tensorflow/tfjs-backend-wasm/dist/'))

for (const path of paths) {
  const json = JSON.parse(readFileSync(path, 'utf8'))
  if (json.modelTopology?.node === undefined) continue
  const name = path.endsWith('model.json')
    ? basename(dirname(dirname(dirname(resolve(path)))))
    : basename(path, '.json')
  const specs = json.weightsManifest.flatMap(({ weights }) => weights)
  const bytes = Buffer.concat(
    json.weightsManifest.flatMap((group) => group.paths.map((each) => readFileSync(join(dirname(path), each)))),
  )
  const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
  let written = false
  for (const backend of ['wasm', 'cpu']) {
    await tf.setBackend(backend)
    await tf.ready()
    try {
      const model = new GraphModel({ load: async () => ({ ...json, weightSpecs: specs, weightData }) })
      await model.load()
      const inputs = model.inputs.map((input) => {
        const shape = input.shape.map((size, i) => (size > 0 ? size : i === 0 ? 2 : 1))
        const size = shape.reduce((a, b) => a * b, 1)
        const data = Array.from({ length: size }, (_, i) => Math.fround(0.5 + 0.5 * Math.sin(i * 0.017)))
        return {
          name: input.name,
          shape,
          dtype: input.dtype,
          data: input.dtype === 'float32' ? data : data.map((each) => Math.round(255 * each)),
        }
      })
      const feeds = Object.fromEntries(
        inputs.map(({ name, shape, dtype, data }) => [name, tf.tensor(data, shape, dtype)]),
      )
      const keys = Object.keys(model.modelSignature?.outputs ?? {})
      const names =
        keys.length > 0
          ? keys.map((key) => model.modelSignature.outputs[key].name)
          : model.outputs.map((each) => each.name)
      const run = () => [model.execute(feeds, names)].flat()
      let found = run()
      await Promise.all(found.map((each) => each.data()))
      const begin = performance.now()
      found = run()
      await Promise.all(found.map((each) => each.data()))
      const milliseconds = performance.now() - begin
      const outputs = found.map((each, i) => ({
        name: keys[i] ?? names[i],
        shape: each.shape,
        data: [...each.dataSync()],
      }))
      writeFileSync(
        join(folder, `${name}.json`),
        JSON.stringify({ path: resolve(path), backend, milliseconds, inputs, outputs }),
      )
      console.log(name, backend, `${milliseconds.toFixed(1)} ms`)
      written = true
    } catch (error) {
      console.log(name, backend, String(error.message).slice(0, 200))
      writeFileSync(
        join(folder, `${name}.json`),
        JSON.stringify({ path: resolve(path), backend, error: String(error.message) }),
      )
    }
    if (written) break
  }
}
