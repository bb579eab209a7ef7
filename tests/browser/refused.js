// A page whose Content Security Policy forbids WebAssembly: gets an error that says what to allow, and can use the
// interpreter. It reads a CSV as well. Leaves its results in window.testResult; run.mjs asserts them.
import { readCsv } from '../../dist/data.js'
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
const rows = await readCsv(new Blob(['a\n1'])).toArray()
window.testResult = { refused, rows, interpreted: predict() }
