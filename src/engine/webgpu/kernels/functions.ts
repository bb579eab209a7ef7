// The WGSL functions of kernels that are not elementwise: see ../functions.ts.

import type { Sources } from '../functions/sources'
import { joined, ROW_THREADS } from './rows'

const overRow = (name: string, combined: string): string => `var<workgroup> ${name}Part: array<f32, ${ROW_THREADS}>;
fn ${name}(thread: u32, x: f32) -> f32 {
${name}Part[thread] = x;
${joined('thread', ROW_THREADS, 1, `${name}Part[thread] = ${combined};`)}
let y = ${name}Part[0];
workgroupBarrier();
return y;
}`

export const kernelFunctions: Sources = {
  // The sum and the largest of the numbers of all threads of a workgroup, which call it together.
  rowSum: overRow('rowSum', 'rowSumPart[thread] + rowSumPart[other]'),
  rowMax: overRow('rowMax', 'maximum(rowMaxPart[thread], rowMaxPart[other])'),
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
