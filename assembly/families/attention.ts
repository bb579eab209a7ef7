// The kernels of attention. A binary of its own, which loads with the primitives that need it: the core
// calls a kernel of a family through the table, at the number of its opcode. The kernel of an opcode has the opcode's name.

export * from '../kernels/attention'
