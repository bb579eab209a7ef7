// Functions of int32. Those of WGSL wrap, but leave division by 0 and the quotient −2³¹/−1 to the device.

import type { Sources } from './sources'

export const integers: Sources = {
  // ⌊a/b⌋, wrapped; 0 where b is 0
  floorQuotientI32: `fn floorQuotientI32(a: i32, b: i32) -> i32 {
if (b == 0) { return 0; }
if (b == -1) { return bitcast<i32>(0u - bitcast<u32>(a)); }
let q = a / b;
let rest = a - q * b;
return q - select(0, 1, rest != 0 && (rest ^ b) < 0);
}`,
  // a − ⌊a/b⌋·b: the sign of b; 0 where b is 0
  floorRemainderI32: `fn floorRemainderI32(a: i32, b: i32) -> i32 {
if (b == 0 || b == -1) { return 0; }
let rest = a - a / b * b;
return rest + select(0, b, rest != 0 && (rest ^ b) < 0);
}`,
  // aᵇ modulo 2³²; for b < 0 the fraction is dropped: ±1 for a = ±1, else 0
  wholePower: `fn wholePower(a: i32, b: i32) -> i32 {
if (b < 0 && a != 1 && a != -1) { return 0; }
var product = 1;
var factor = a;
for (var digits = bitcast<u32>(b); digits > 0u; digits >>= 1u) {
if ((digits & 1u) == 1u) { product *= factor; }
factor *= factor;
}
return product;
}`,
}
