// The interpreter in place of the kernels where an engine has no WebAssembly: Hermes in React Native, QuickJS, Node with --jitless, and
// browsers that turn it off for safety. Entries and configure() use it; other applications do not contain the interpreter.

import { warnOnce } from '../../core/warnings'
import { fallBackTo } from './current'
import { InterpreterBackend } from './interpreter-backend'
import { Runtime } from './runtime'

/** A runtime without WebAssembly. Warns once. */
export function runtimeWithoutWasm(): Runtime {
  warnOnce(
    "This JavaScript engine has no WebAssembly with SIMD, so the interpreter computes: the same results, some 50 to 500 times slower. Small networks are fine; for others use an engine with WebAssembly, a WebView or a server. configure({ backend: 'interpreter' }) ends this warning.",
  )
  return new Runtime({ backend: 'interpreter', simd: 'plain', fuse: true }, new InterpreterBackend(1))
}

/** Makes all models run, also without WebAssembly. */
export function runWithoutWasm(): void {
  fallBackTo(runtimeWithoutWasm)
}
