// Starts the page.

import { options, render } from 'preact'
import { App } from './ui/app'
import { session } from './ui/session'

// Two runs send their frames separately; the changes of both are drawn together, once.
options.debounceRendering = (draw) => void requestAnimationFrame(draw)

const host = document.getElementById('app')!
host.replaceChildren()
render(<App />, host)
session.begin()
performance.mark('interactive')
if (import.meta.env.PROD && window.isSecureContext && 'serviceWorker' in navigator)
  void navigator.serviceWorker.register(new URL('offline.js', document.baseURI))
