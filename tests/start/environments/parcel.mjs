// Parcel, as it is by default, where it does not read `exports` of packages, and with `packageExports`.
import { bundled } from '../bundled.mjs'
import { bin, output } from '../kit.mjs'

const build = (cwd) =>
  output(bin('parcel'), ['build', 'index.html', '--dist-dir', 'out', '--public-url', './', '--no-cache'], { cwd })

export default [
  bundled('parcel', 'parcel', build, { makesPage: true }),
  bundled('parcel-exports', 'parcel', build, {
    makesPage: true,
    manifest: { type: 'module', '@parcel/resolver-default': { packageExports: true } },
  }),
]
