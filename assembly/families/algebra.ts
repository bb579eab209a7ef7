// The kernels of linear algebra, Fourier transforms, sorting, running sums and bits: a separate binary, which loads with the
// primitives that need it. The core calls a kernel of a family through the table, at the index of its opcode. A kernel has the
// name of its opcode.

export * from '../kernels/factorize'
export * from '../kernels/vectors'
export * from '../kernels/vectors-f64'
export * from '../kernels/reflections'
export * from '../kernels/rotations'
export * from '../kernels/jacobi'
export * from '../kernels/eigen'
export * from '../kernels/singular'
export * from '../kernels/substitute'
export * from '../kernels/fourier'
export * from '../kernels/sort'
export * from '../kernels/running'
export * from '../kernels/bits'
