// One page of static files with relative addresses, which work from any folder.

import { defineConfig, type Plugin } from 'vite'

/**
 * A page may load files of its origin and run WebAssembly, and nothing else.
 * @param connect from where it may fetch
 */
const policyOf = (connect: string): string =>
  [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    `connect-src ${connect}`,
    "worker-src 'self'",
    "media-src 'self' blob:",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
/** The page of language models also fetches models from the address that its user gives. */
const CONNECT: Readonly<Record<string, string>> = { '/language.html': "'self' https:" }

// The server for development adds inline styles, so only the built page has the policy.
const policy: Plugin = {
  name: 'policy',
  apply: 'build',
  transformIndexHtml: (_html, { path }) => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: policyOf(CONNECT[path] ?? "'self'") },
      injectTo: 'head-prepend',
    },
  ],
}

/** The pages for the GPU and for language models, and their code, which few load. */
const SELDOM = /^(?:assets\/)?(?:(?:web)?gpu|language|open-gguf)/

/**
 * A service worker that keeps the files of this build, so that the page works offline; those that few need once they were loaded. Files of
 * other origins, such as models, are left to the page.
 */
const offline: Plugin = {
  name: 'offline',
  apply: 'build',
  generateBundle: {
    order: 'post',
    handler(_options, bundle) {
      const files = [
        './',
        './icon.svg',
        ...Object.keys(bundle)
          .filter((name) => name !== 'index.html' && !SELDOM.test(name))
          .map((name) => `./${name}`),
      ]
      const version = Object.keys(bundle).join(' ').length.toString(36) + hash(Object.keys(bundle).join(' '))
      this.emitFile({
        type: 'asset',
        fileName: 'offline.js',
        source: `const NAME = 'myelin-${version}'
const LATER = new Set(${JSON.stringify(Object.keys(bundle).filter((name) => SELDOM.test(name)))}.map((name) => new URL(name, self.registration.scope).pathname))
const kept = async (request) => {
  const cache = await caches.open(NAME)
  const found = await cache.match(request, { ignoreSearch: true })
  if (found !== undefined) return found
  const response = await fetch(request)
  if (response.status === 200 && LATER.has(new URL(request.url).pathname)) await cache.put(request, response.clone())
  return response
}
self.addEventListener('install', (event) => event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(${JSON.stringify(files)})).then(() => self.skipWaiting())))
// The library keeps models in myelin-presets.
self.addEventListener('activate', (event) => event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((name) => name.startsWith('myelin-') && name !== NAME && name !== 'myelin-presets').map((name) => caches.delete(name)))).then(() => self.clients.claim())))
self.addEventListener('fetch', (event) => { const { request } = event; if (request.method === 'GET' && request.url.startsWith(self.registration.scope) && !request.headers.has('range')) event.respondWith(kept(request)) })
`,
      })
    },
  },
}

function hash(text: string): string {
  let value = 0
  for (const letter of text) value = (Math.imul(value, 31) + letter.codePointAt(0)!) >>> 0
  return value.toString(36)
}

export default defineConfig({
  base: './',
  plugins: [policy, offline],
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    assetsInlineLimit: 0,
    rollupOptions: { input: ['index.html', 'gpu.html', 'language.html'] },
  },
  worker: { format: 'es' },
  // The penguins are beside the examples.
  server: { fs: { allow: ['..'] } },
})
