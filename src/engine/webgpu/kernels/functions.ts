// The WGSL functions of kernels that are not elementwise: see ../functions.ts.

import type { Sources } from '../functions/sources'
import { treeOf, ROW_THREADS } from './rows'

/** WGSL for two numbers as one. */
type Combination = (a: string, b: string) => string

const sum: Combination = (a, b) => `${a} + ${b}`
const largest: Combination = (a, b) => `maximum(${a}, ${b})`

/** A function of a number of each thread: the numbers of all threads as one. They are combined in the memory of the workgroup. */
const overRow = (
  name: string,
  combined: Combination,
): string => `var<workgroup> ${name}Part: array<f32, ${ROW_THREADS}>;
fn ${name}(thread: u32, x: f32) -> f32 {
${name}Part[thread] = x;
${treeOf('thread', ROW_THREADS, 1, `${name}Part[thread] = ${combined(`${name}Part[thread]`, `${name}Part[other]`)};`)}
let y = ${name}Part[0];
workgroupBarrier();
return y;
}`

/** The same with fewer barriers: the threads of a subgroup exchange their numbers, and only the results of subgroups are in memory. */
const overSubgroups = (
  name: string,
  combined: Combination,
): string => `var<workgroup> ${name}Part: array<f32, ${ROW_THREADS}>;
fn ${name}(thread: u32, x: f32) -> f32 {
let size = min(subgroupSize, ${ROW_THREADS}u);
var y = x;
for (var apart = size / 2u; apart > 0u; apart /= 2u) { y = ${combined('y', 'subgroupShuffleXor(y, apart)')}; }
if (subgroupElect()) { ${name}Part[subgroup] = y; }
workgroupBarrier();
y = ${name}Part[0];
for (var i = 1u; i < ${ROW_THREADS}u / size; i++) { y = ${combined('y', `${name}Part[i]`)}; }
workgroupBarrier();
return y;
}`

/** Functions in place of those below, on a device with subgroups. */
export const subgroupFunctions: Sources = {
  rowSum: overSubgroups('rowSum', sum),
  rowMax: overSubgroups('rowMax', largest),
}

/** A function in place of one below, where WGSL multiplies packed bytes. */
export const byteFunctions: Sources = { dot4: 'fn dot4(a: u32, b: u32) -> i32 { return dot4I8Packed(a, b); }' }

export const kernelFunctions: Sources = {
  // The sum and the largest of the numbers of all threads of a workgroup, which call it together.
  rowSum: overRow('rowSum', sum),
  rowMax: overRow('rowMax', largest),
  // Σ aᵢ bᵢ for four signed bytes each.
  dot4: `fn dot4(a: u32, b: u32) -> i32 {
let x = vec4i(vec4u(a << 24u, a << 16u, a << 8u, a)) >> vec4u(24u);
let y = vec4i(vec4u(b << 24u, b << 16u, b << 8u, b)) >> vec4u(24u);
return dot(x, y);
}`,
  // The position for an index, which counts from the end if it is negative; −1 outside the axis.
  placeOf: `fn placeOf(index: i32, axis: u32) -> i32 {
let place = select(index, index + i32(axis), index < 0i);
return select(-1i, max(place, -1i), place < i32(axis));
}`,
  // Threefry-2x32 with 20 rounds: see core/threefry.ts.
  threefry: `fn rotated(x: u32, by: u32) -> u32 { return (x << by) | (x >> (32u - by)); }
fn threefry(key: vec2u, counter: vec2u) -> vec2u {
let keys = array<u32, 3>(key.x, key.y, key.x ^ key.y ^ 0x1bd11bdau);
var rotations = array<u32, 8>(13u, 15u, 26u, 6u, 17u, 29u, 16u, 24u);
var x = counter + key;
for (var round = 0u; round < 5u; round++) {
for (var i = 0u; i < 4u; i++) {
x.x += x.y;
x.y = rotated(x.y, rotations[(round & 1u) * 4u + i]) ^ x.x;
}
x.x += keys[(round + 1u) % 3u];
x.y += keys[(round + 2u) % 3u] + round + 1u;
}
return x;
}`,
}
