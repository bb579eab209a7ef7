// What a page meets whose Content Security Policy forbids WebAssembly: an error that says what to allow, and the
// interpreter. Leaves what it found in window.testResult; run.mjs asserts it.
import { Dense, Sequential, StateError, configure } from '../../dist/index.js'

const predict = () => {
  const model = new Sequential([new Dense({ units: 1, inputShape: [2], kernelInitializer: 'ones' })])
  return model.predictOnBatch([[1, 2]]).item()
}

function refusal() {
  try {
    predict()
    return null
  } catch (error) {
    return { isStateError: error instanceof StateError, message: error.message, cause: String(error.cause) }
  }
}

const refused = refusal()
configure({ backend: 'interpreter' })
window.testResult = { refused, interpreted: predict() }
