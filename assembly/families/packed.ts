// The kernels of packed weights of 8 and 4 bits: a separate binary, which loads with the primitives that need it. The core
// calls a kernel of a family through the table, at the index of its opcode. A kernel has the name of its opcode.

export * from '../kernels/packed'
export * from '../kernels/packed-tiles'
export * from '../kernels/packed-floats'
