// One page of static files with relative addresses, which work from any folder.

import { defineConfig, type Plugin } from 'vite'

/** The page may load files of its origin and run WebAssembly, and nothing else. */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "media-src 'self' blob:",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

// The server for development adds inline styles, so only the built page has the policy.
const policy: Plugin = {
  name: 'policy',
  apply: 'build',
  transformIndexHtml: () => [
    { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY }, injectTo: 'head-prepend' },
  ],
}

/** The page and the code for the GPU, which few load. */
const ON_GPU = /^(?:assets\/)?(?:web)?gpu/

/** A service worker that keeps the files of this build but those for the GPU, so that the page works offline. */
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
          .filter((name) => name !== 'index.html' && !ON_GPU.test(name))
          .map((name) => `./${name}`),
      ]
      const version = Object.keys(bundle).join(' ').length.toString(36) + hash(Object.keys(bundle).join(' '))
      this.emitFile({
        type: 'asset',
        fileName: 'offline.js',
        source: `const NAME = 'myelin-${version}'
self.addEventListener('install', (event) => event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(${JSON.stringify(files)})).then(() => self.skipWaiting())))
self.addEventListener('activate', (event) => event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((name) => name.startsWith('myelin-') && name !== NAME).map((name) => caches.delete(name)))).then(() => self.clients.claim())))
self.addEventListener('fetch', (event) => { if (event.request.method === 'GET') event.respondWith(caches.match(event.request, { ignoreSearch: true }).then((found) => found ?? fetch(event.request))) })
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
    rollupOptions: { input: ['index.html', 'gpu.html'] },
  },
  worker: { format: 'es' },
  // The penguins are beside the examples.
  server: { fs: { allow: ['..'] } },
})
