// Opens a language model with one library in a page. run.mjs calls window.measure.
import { opened } from './adapters.mjs'

window.open = async (library, weights, folder) => {
  window.continued = await opened(library, weights, folder)
}
window.isReady = true
