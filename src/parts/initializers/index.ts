// Initial weights. Names, defaults and formulas are Keras's.

export { Initializer } from './initializer'
export type { FanAxes } from './initializer'
export * from './named'
export * from './second-names'
export type { InitializerIdentifier } from './names'
export * from './stft'
