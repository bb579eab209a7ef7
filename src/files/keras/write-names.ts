// Names of options and keywords in Keras, and the two forms of its configurations.

/**
 * The form of a configuration: that of Keras 3, or that of Keras 2 as far as Keras 3 reads it, too. `.h5` files have the second form.
 */
export type Style = 'current' | 'former'

/** Names that are not the option in snake case. */
const NAMES: Readonly<Record<string, string>> = {
  keepDims: 'keepdims',
  sparseYTrue: 'sparse_y_true',
  sparseYPred: 'sparse_y_pred',
}

/** The name of an option in Keras: `beta1` is `beta_1`. */
export function kerasName(name: string): string {
  return (
    NAMES[name] ??
    name
      .replace(/([bB]eta|epsilon)(\d)/g, '$1_$2')
      .replace(/([a-z0-9])([A-Z])/g, (_match, before: string, letter: string) => `${before}_${letter.toLowerCase()}`)
  )
}
