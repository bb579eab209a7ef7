// Options are declared once, in a table of names, kinds and defaults. From it follow the constructor's type, the checks,
// the errors for unknown names, Keras's snake_case spelling, getConfig and fromConfig.
//
//   class Dropout extends configured(Layer, () => ({
//     /** The probability with which an element becomes 0. */
//     rate: required(number({ min: 0, max: 1 })),
//     seed: option(nullable(integer), null),
//   }), 'rate') { … this.rate … }

export * from './configured'
export * from './kinds'
export * from './tables'
