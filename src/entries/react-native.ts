// The entry for React Native: the names of `myelin`; and also in bundles the interpreter, since Hermes has no WebAssembly, and all
// formats of files, since Metro bundles every module that another one names.

import { runWithoutWasm } from '../engine/runtime/without-wasm'
import { useAllFormats } from '../files/loader'

runWithoutWasm()
useAllFormats()

export * from '..'
