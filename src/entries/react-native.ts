// The entry for React Native: the names of `myelin`, and the interpreter also in bundles, since Hermes has no WebAssembly.

import { runWithoutWasm } from '../engine/runtime/without-wasm'

runWithoutWasm()

export * from '..'
