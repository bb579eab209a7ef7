// The entry for Node: the names of `myelin`; kernels that are read from files instead of decoded from text, which saves 6 ms of
// a first step; and all formats of files for models. The kernels' files are in the package only; without them the text is decoded.

import { findFormatsWith } from './models/format-hook'
import { formatOf } from './models/formats'
import { findWeightFilesWith } from './models/weight-files'
import { weightFiles } from './models/weight-formats'
import { nodeModule } from './runtime/platform'
import { readBinariesWith } from './runtime/engine/wasm'

readBinariesWith((name) => {
  const fs = nodeModule('node:fs')
  try {
    return fs === null ? null : new Uint8Array(fs.readFileSync(new URL(`kernels/${name}.wasm`, import.meta.url)))
  } catch {
    // A bundle without the files, or a process that may not read them.
    return null
  }
})

findFormatsWith(formatOf)
findWeightFilesWith(weightFiles(() => import('./weights')))

export * from './index'
