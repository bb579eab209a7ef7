// The kernels of linear algebra, Fourier transforms and sorting. A binary of its own, which loads with the primitives that need it: the core
// calls a kernel of a family through the table, at the number of its opcode. The kernel of an opcode has the opcode's name.

export * from '../kernels/factorize'
export * from '../kernels/vectors'
export * from '../kernels/rotations'
export * from '../kernels/substitute'
export * from '../kernels/fourier'
export * from '../kernels/sort'
