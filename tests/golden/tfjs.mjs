// The real TensorFlow.js, for the scripts of this folder. TFJS names a folder in which it is installed:
//
//   npm install --prefix /tmp/tfjs @tensorflow/tfjs@4.22.0
//   TFJS=/tmp/tfjs node tests/golden/tfjs_layers.mjs

import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

if (process.env.TFJS === undefined) throw new Error('TFJS must name the folder in which @tensorflow/tfjs is installed')
export const tf = createRequire(pathToFileURL(`${process.env.TFJS}/`))('@tensorflow/tfjs')
if (tf.version.tfjs !== '4.22.0') throw new Error(`expected TensorFlow.js 4.22.0, received ${tf.version.tfjs}`)
await tf.setBackend('cpu')

/** Numbers that look random, the same in each run. */
export function numbers(count, seed = 1, scale = 1) {
  return Array.from({ length: count }, (_, i) => (((i + seed * 13) * 7919 + seed * 104729) % 1009) / 504.5 - 1).map(
    (x) => scale * x,
  )
}

/** A tensor as { shape, data }. */
export const plain = (tensor) => ({ shape: tensor.shape, data: Array.from(tensor.dataSync()) })

/** Loads artifacts: `{ json, bytes }` with the manifest in the JSON, and all bytes of the weights. */
export function loadModel(json, bytes) {
  const { weightsManifest, ...artifacts } = json
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights)
  const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  return tf.loadLayersModel({ load: async () => ({ ...artifacts, weightSpecs, weightData }) })
}

/** The JSON and the bytes that TensorFlow.js writes. */
export async function saved(model, path, includeOptimizer = false) {
  let found = null
  await model.save(
    { save: async (artifacts) => ((found = artifacts), { modelArtifactsInfo: {} }) },
    { includeOptimizer },
  )
  const { weightSpecs, weightData, ...others } = found
  return {
    json: { ...others, weightsManifest: [{ paths: [`./${path}`], weights: weightSpecs }] },
    bytes: new Uint8Array(weightData),
  }
}
