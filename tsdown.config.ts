import type { UserConfig } from 'tsdown'
import { defineConfig } from 'tsdown'

const shared = {
  entry: ['src/index.ts'],
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  outExtensions: () => ({ js: '.js', dts: '.d.ts' }),
  checks: { pluginTimings: false },
} satisfies UserConfig

// An engine keeps a source that is all ASCII in half the memory, and reads it faster.
const ascii = {
  name: 'ascii',
  generateBundle(_options: unknown, bundle: Record<string, { type: string; code?: string }>) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.code === undefined) continue
      chunk.code = chunk.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    }
  },
}

// One ESM file that runs in Node and in browsers, minified because it is also loaded as it is, but with the
// names of functions and classes kept for stack traces. scripts/check-package.mjs holds its gzipped size to a
// limit, which a source map would exceed many times. The declarations are a build of their own: together, the
// two would share a third file.
export default defineConfig([
  {
    ...shared,
    minify: { mangle: { keepNames: { function: true, class: true } }, compress: true, codegen: true },
    dts: false,
    clean: true,
    plugins: [ascii],
    deps: {
      // Small enough to carry along, so that the package has no dependencies.
      alwaysBundle: ['@assemblyscript/loader'],
      onlyBundle: ['@assemblyscript/loader'],
    },
  },
  { ...shared, dts: { emitDtsOnly: true }, clean: false },
])
