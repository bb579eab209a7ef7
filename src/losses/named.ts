// The losses that users can choose by name, and their functions: what registry.ts and index.ts read. A loss that should not
// be in every bundle is exported by index.ts alone.

export * from './circle'
export * from './crossentropies'
export * from './hinge'
export * from './regression'
export * from './segmentation'
