// The download size of each library in a browser: bytes after gzip -9 of the files as published, minified where the
// package has a minified build. Tree-shaking of a bundler is not considered.
import { readFileSync, readdirSync, existsSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const at = (path) => new URL(path, import.meta.url)

/** A file of dist/ and all that it imports when it is loaded. */
function loadedBy(file, found = new Set()) {
  if (found.has(file)) return found
  found.add(file)
  const code = readFileSync(at(`../../dist/${file}`), 'utf8')
  for (const [, next] of code.matchAll(/\b(?:from|import) ?"\.\/([^"]+)"/g)) loadedBy(next, found)
  return found
}

function filesOf(name) {
  if (name === 'myelin') return [...loadedBy('index.js')].map((file) => `../../dist/${file}`)
  return {
    tfjs: [
      'node_modules/@tensorflow/tfjs-core/dist/tf-core.min.js',
      'node_modules/@tensorflow/tfjs-layers/dist/tf-layers.min.js',
      'node_modules/@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.min.js',
      'node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm',
    ],
    // Its two chunks for the GPU load on demand; its wasm is generated at run time.
    jax: [
      'node_modules/@jax-js/jax/dist/index.js',
      ...readdirSync(at('node_modules/@jax-js/jax/dist/'))
        .filter((file) => /^(backend|rolldown-runtime)-.*\.js$/.test(file))
        .map((file) => `node_modules/@jax-js/jax/dist/${file}`),
    ],
    brain: ['node_modules/brain.js/dist/browser.js'],
    'ort-web': [
      'node_modules/onnxruntime-web/dist/ort.wasm.min.mjs',
      'node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.mjs',
      'node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm',
    ],
  }[name]
}

/** @returns {{ files: string[], bytes: number, gzip: number } | null} null if no browser can load it */
export function sizeOf(name) {
  const files = filesOf(name)
  if (files === undefined) return null
  let bytes = 0
  let gzip = 0
  for (const file of files) {
    if (!existsSync(at(file))) throw new Error(`size of ${name}: ${file} is missing`)
    const content = readFileSync(at(file))
    bytes += content.length
    gzip += gzipSync(content, { level: 9 }).length
  }
  return {
    files: files.map((file) =>
      file.replace(/^.*(node_modules|dist)\//, (m) => (m.includes('node_modules') ? '' : 'dist/')),
    ),
    bytes,
    gzip,
  }
}
