// What kernels with a workgroup for each row share: sums and extremes over the threads of a workgroup, in a fixed order.

/** The threads of a workgroup that computes a row. */
export const ROW_THREADS = 64

/** Declares `rowSum` and `rowMax`, which all threads of a workgroup call together. */
export const ROW_DECLARATIONS = `var<workgroup> part: array<f32, ${ROW_THREADS}>;
fn rowSum(thread: u32, x: f32) -> f32 {
part[thread] = x;
workgroupBarrier();
for (var half = ${ROW_THREADS / 2}u; half > 0u; half /= 2u) {
if (thread < half) { part[thread] += part[thread + half]; }
workgroupBarrier();
}
let sum = part[0];
workgroupBarrier();
return sum;
}
fn rowMax(thread: u32, x: f32) -> f32 {
part[thread] = x;
workgroupBarrier();
for (var half = ${ROW_THREADS / 2}u; half > 0u; half /= 2u) {
if (thread < half) { part[thread] = maximum(part[thread], part[thread + half]); }
workgroupBarrier();
}
let most = part[0];
workgroupBarrier();
return most;
}`
