// The losses that users can choose by name; registry.ts reads this module. Every bundle that contains compile() has these
// classes. Further classes, which index.ts exports, are listed in registry.ts.

export * from './circle'
export * from './crossentropies'
export * from './hinge'
export * from './regression'
export * from './segmentation'
