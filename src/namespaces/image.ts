// The namespace `ops.image`. Keras: `keras.ops.image`.

export * from '../ops/image'
