// Starts the page of language models.

import { options, render } from 'preact'
import { App } from './app'

// Words of a model and the losses of its training come faster than the page draws.
options.debounceRendering = (draw) => void requestAnimationFrame(draw)

const host = document.getElementById('app')!
host.replaceChildren()
render(<App />, host)
performance.mark('interactive')
