// The one list of what the fixtures have and this library has not. not-yet.test.ts checks that it is complete:
// a case is left out exactly if it uses a listed option.

export type FixtureName = 'activations' | 'embedding' | 'losses' | 'metrics' | 'optimizers' | 'trajectories' | 'initializers'

export interface NotYet {
  /** What the cases use, as the fixtures spell it. */
  readonly option: string
  readonly reason: string
  readonly cases: { readonly [File in FixtureName]?: readonly string[] }
}

export const notYet: readonly NotYet[] = [
  {
    option: 'amsgrad',
    reason: 'Adam has no amsgrad: it needs a third slot, the largest variance so far.',
    cases: { optimizers: ['Adam amsgrad'], trajectories: ['binary, Adam amsgrad', 'binary ragged, Adam amsgrad'] },
  },
  {
    option: 'gradientAccumulationSteps',
    reason: 'Every step updates; gradients are not collected over several.',
    cases: { optimizers: ['SGD gradientAccumulationSteps', 'Adam gradientAccumulationSteps clipnorm'] },
  },
  {
    option: 'useEma',
    reason: 'No optimizer keeps a running average of the weights.',
    cases: { optimizers: ['SGD useEma', 'SGD useEma emaOverwriteFrequency'] },
  },
  {
    option: 'maxValue',
    reason: 'ops.relu has none of Keras’s options negativeSlope, maxValue and threshold.',
    cases: { activations: ['relu {"negativeSlope":0.1,"maxValue":4,"threshold":0.75}'] },
  },
]

/** Reductions that loss cases store a value for, and that no loss knows. */
export const reductionsNotYet = ['meanWithSampleWeight'] as const

/** The cases that are run. */
export function runnable<Case>(file: FixtureName, cases: readonly Case[], nameOf: (each: Case) => string): Case[] {
  const leftOut = new Set(notYet.flatMap(({ cases }) => cases[file] ?? []))
  return cases.filter((each) => !leftOut.has(nameOf(each)))
}
