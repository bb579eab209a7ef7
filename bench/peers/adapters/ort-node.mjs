// Adapter of onnxruntime-node: the native library, on the CPU. See onnxruntime.mjs.
import { onnxAdapter } from './onnxruntime.mjs'

const options = {
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
}

/** @type {import('./interface.mjs').Adapter} */
export default onnxAdapter(async () => (await import('onnxruntime-node')).default, options, {
  title: 'onnxruntime-node',
  package: 'onnxruntime-node',
  native: true,
  note: 'Inference only. Native code (not WebAssembly) with the CPU’s widest vectors, one thread; `run` is asynchronous.',
})
