// What the entry for Node does when it is imported: kernels that are read from files instead of decoded from text, which saves 6 ms
// of a first step; what consoles show; and all formats. The kernels' files are in the package only; without them the text is decoded.

import { addMethods } from '../core/methods'
import { typed } from '../core/tree'
import { enableLora, type LoraLayer, type LoraOptions } from '../layers/core/lora'
import { Layer, type LayerBase } from '../layers/layer'
import { useAllFormats } from '../files/loader'
import { boundPatterns } from '../optimizers/file-patterns'
import { nodeModule } from '../engine/runtime/platform'
import { readBinariesWith } from '../engine/runtime/current'
import { hasColours, isDumb } from '../engine/runtime/terminal'
import { useTerminalProgress } from '../training/callbacks/terminal-progress'
import { showInConsoles } from './consoles'

/** The module calls it, and so does the CommonJS file for Node. */
export function startInNode(): void {
  readBinariesWith(readKernel)
  boundPatterns()
  useAllFormats()
  addLargeMethods()
  showInConsoles()
  useTerminalProgress({ hasColours, isDumb })
}

function readKernel(name: string): Uint8Array<ArrayBuffer> | null {
  const fs = nodeModule('node:fs')
  try {
    return fs === null ? null : new Uint8Array(fs.readFileSync(new URL(`kernels/${name}.wasm`, import.meta.url)))
  } catch {
    // A bundle without the files, or a process that may not read them.
    return null
  }
}

/** Methods with much code, which other entries have as functions alone. */
function addLargeMethods(): void {
  addMethods(Layer.prototype, {
    enableLora(this: LayerBase, rank: number, options?: LoraOptions): void {
      // It refuses other layers.
      enableLora<LoraLayer>(typed(this), rank, options)
    },
    async quantize(this: LayerBase, mode?: 'int8' | 'int4'): Promise<void> {
      const { quantizeInPlace } = await import('./thrift')
      quantizeInPlace(this, mode)
    },
  })
}
