// The WGSL functions that kernels call. A kernel's text contains those that it mentions, and those that these mention.
//
// WGSL allows an implementation to assume that there are no NaNs and infinities, so functions find these by their bits.

import { kernelFunctions } from './kernels/functions'
import { LEAST_FACTOR, LEAST_SQUARED, LEAST_STATE } from '../../../assembly/shared/vanishing'

/** The source of each function, by its name. */
const functions: Readonly<Record<string, string>> = {
  ...kernelFunctions,
  // Elements of `memory` by their index.
  f32At: 'fn f32At(at: u32) -> f32 { return bitcast<f32>(memory[at]); }',
  i32At: 'fn i32At(at: u32) -> i32 { return bitcast<i32>(memory[at]); }',
  storeF32: 'fn storeF32(at: u32, x: f32) { memory[at] = bitcast<u32>(x); }',
  storeI32: 'fn storeI32(at: u32, x: i32) { memory[at] = bitcast<u32>(x); }',

  isNaN: 'fn isNaN(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }',
  isFinite: 'fn isFinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }',
  flushFactor: `fn flushFactor(x: f32) -> f32 { return select(x, 0.0, abs(x) < ${LEAST_FACTOR}f); }`,
  flushState: `fn flushState(x: f32) -> f32 { return select(x, 0.0, abs(x) < ${LEAST_STATE}f); }`,
  squareOf: `fn squareOf(x: f32) -> f32 { return select(x * x, 0.0, abs(x) < ${LEAST_SQUARED}f); }`,
}

const CALL = /\b([A-Za-z][A-Za-z0-9_]*)\(/g

/** The sources of the functions that a text calls, directly or through others; each before those that call it. */
export function functionsIn(text: string): string {
  const found = new Set<string>()
  const visit = (source: string): void => {
    for (const [, name] of source.matchAll(CALL)) {
      const called = functions[name!]
      if (called === undefined || found.has(called) || called === source) continue
      visit(called)
      found.add(called)
    }
  }
  visit(text)
  return [...found].map((source) => `${source}\n`).join('')
}
