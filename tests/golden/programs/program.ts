// The type of a program: what it is given, and what it reports.

import type { Model, Tensor } from '../../../src'

/** Gives models the weights with which they begin in Keras. */
export type Begin = (models: Readonly<Record<string, Model>>) => void

export type Reported = Tensor | number | readonly number[] | { readonly [name: string]: Reported }

export type Program = (begin: Begin) => Promise<Readonly<Record<string, Reported>>>
