// Starts the page.

import { render } from 'preact'
import { App } from './ui/app'
import { session } from './ui/session'

const host = document.getElementById('app')!
host.replaceChildren()
render(<App />, host)
session.begin()
if ('serviceWorker' in navigator && import.meta.env.PROD && location.protocol === 'https:')
  void navigator.serviceWorker.register(new URL('offline.js', document.baseURI))
