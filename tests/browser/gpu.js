// Trains on the GPU in the page, and then in a worker. Leaves the results in window.testResult; webgpu.mjs asserts them.
import { compareWithCpu } from './gpu-model.js'

function inWorker() {
  const worker = new Worker(new URL('./gpu-worker.js', import.meta.url), { type: 'module' })
  return new Promise((resolve, reject) => {
    worker.addEventListener('message', ({ data }) => resolve(data))
    worker.addEventListener('error', ({ message }) => reject(new Error(message)))
  })
}

try {
  window.testResult = { page: await compareWithCpu(), worker: await inWorker() }
} catch (error) {
  window.testResult = { error: error?.stack ?? String(error) }
}
