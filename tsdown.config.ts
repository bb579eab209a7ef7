import { defineConfig } from 'tsdown'

// One ESM file that runs in Node and in browsers. It is not minified: an application's bundler does that
// better, and a stack trace stays readable. scripts/check-package.mjs holds its gzipped size to a limit.
export default defineConfig({
  entry: ['src/index.ts'],
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  outExtensions: () => ({ js: '.js', dts: '.d.ts' }),
  dts: true,
  sourcemap: false,
  minify: { mangle: false, compress: true, codegen: true },
  clean: true,
  checks: { pluginTimings: false },
  deps: {
    // Small enough to carry along, so that the package has no dependencies.
    alwaysBundle: ['@assemblyscript/loader'],
    onlyBundle: ['@assemblyscript/loader'],
  },
})
