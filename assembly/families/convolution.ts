// The kernels of convolution and pooling: a separate binary, which loads with the primitives that need it. The core
// calls a kernel of a family through the table, at the index of its opcode. A kernel has the name of its opcode.

export * from '../kernels/convolution'
export * from '../kernels/convolution-tiles'
export * from '../kernels/depthwise'
export * from '../kernels/pool'
export * from '../kernels/window'
export * from '../kernels/winograd'
