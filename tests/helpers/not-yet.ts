// The list of features that the fixtures use and this library lacks. not-yet.test.ts checks that it is complete: a case
// is skipped exactly if it uses a listed option.

export type FixtureName =
  | 'activations'
  | 'embedding'
  | 'functional'
  | 'losses'
  | 'metrics'
  | 'optimizers'
  | 'trajectories'
  | 'initializers'
  | 'constraints'
  | 'normalized'

export interface NotYet {
  /** An option of the cases, as the fixtures spell it. */
  readonly option: string
  readonly reason: string
  readonly cases: { readonly [File in FixtureName]?: readonly string[] }
}

export const notYet: readonly NotYet[] = [
  {
    option: 'maxValue',
    reason: 'ops.relu has none of Keras’s options negativeSlope, maxValue and threshold.',
    cases: { activations: ['relu {"negativeSlope":0.1,"maxValue":4,"threshold":0.75}'] },
  },
]

/** The cases that are run. */
export function runnable<Case>(file: FixtureName, cases: readonly Case[], nameOf: (each: Case) => string): Case[] {
  const leftOut = new Set(notYet.flatMap(({ cases }) => cases[file] ?? []))
  return cases.filter((each) => !leftOut.has(nameOf(each)))
}
