import { compareWithCpu } from './gpu-model.js'

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no other origins
self.postMessage(await compareWithCpu())
