// Vite, as it builds by default.
import { bundled } from '../bundled.mjs'
import { bin, output } from '../kit.mjs'

export default [
  bundled(
    'vite',
    'vite',
    (cwd) => output(bin('vite'), ['build', '--base=./', '--outDir=out', '--logLevel=warn'], { cwd }),
    { makesPage: true },
  ),
]
