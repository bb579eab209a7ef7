// The namespace `ops`. Keras: `keras.ops`.

export * from '../ops'
export * as image from './image'
