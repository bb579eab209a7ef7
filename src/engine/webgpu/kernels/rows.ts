// What kernels with a workgroup for each row share. Their functions `rowSum` and `rowMax` are in functions.ts.

/** The threads of a workgroup that computes a row. */
export const ROW_THREADS = 64

/** The bits of −∞, which WGSL cannot write. */
export const LEAST = 0xff800000

/** A loop of a thread over its elements of a row, whose number is p.COUNT. */
export const forColumns = (statement: string, count = 'columns'): string =>
  `for (var i = thread; i < p.${count}; i += ${ROW_THREADS}u) { ${statement} }`

/**
 * WGSL that combines the elements of `part` of some threads into that of the first: a tree, always in the same order.
 * @param number the number of a thread among `count` threads, `apart` threads from the next
 * @param combined a statement for the elements of `thread` and `other`
 */
export const joined = (number: string, count: number, apart: number, combined: string): string =>
  `workgroupBarrier();
for (var half = ${count / 2}u; half > 0u; half /= 2u) {
if (${number} < half) { let other = thread + half${apart === 1 ? '' : ` * ${apart}u`}; ${combined} }
workgroupBarrier();
}`
