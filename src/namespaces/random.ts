// The namespace `random`. Keras: `keras.random`.

export * from '../ops/random'
