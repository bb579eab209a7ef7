// Adapter of onnxruntime-web on its wasm backend. See onnxruntime.mjs.
import { network } from '../dense.mjs'
import { onnxModel } from '../onnx.mjs'
import { onnxAdapter } from './onnxruntime.mjs'

const sessionOptions = { executionProviders: ['wasm'], graphOptimizationLevel: 'all' }

async function load() {
  const ort = await import('onnxruntime-web/wasm')
  ort.env.wasm.numThreads = 1
  // Its first session makes Node's threads global as `Worker`. Other libraries would then detect a browser.
  const before = new Set(Object.getOwnPropertyNames(globalThis))
  const smallest = network(1, [{ units: 1, activation: 'relu' }], 'mse', 1)
  const first = await ort.InferenceSession.create(onnxModel(smallest), sessionOptions)
  await first.release()
  for (const name of Object.getOwnPropertyNames(globalThis)) if (!before.has(name)) delete globalThis[name]
  return ort
}

/** @type {import('./interface.mjs').Adapter} */
export default onnxAdapter(load, sessionOptions, {
  title: 'onnxruntime-web',
  package: 'onnxruntime-web',
  note: 'Inference only. WebAssembly with SIMD, `numThreads = 1`; `run` is asynchronous.',
})
