// The namespace `callbacks`. Keras: `keras.callbacks`.

export * from '../training/callbacks'
