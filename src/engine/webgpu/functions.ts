// The WGSL functions that kernels call. A kernel's text contains those that it mentions, and those that these mention.

import { angles } from './functions/angles'
import { bits } from './functions/bits'
import { exponentials } from './functions/exponentials'
import { integers } from './functions/integers'
import { power } from './functions/power'
import { quotients } from './functions/quotients'
import { byteFunctions, kernelFunctions, subgroupFunctions } from './kernels/functions'
import type { Sources } from './functions/sources'

const functions: Sources = {
  ...bits,
  ...quotients,
  ...exponentials,
  ...power,
  ...angles,
  ...integers,
  ...kernelFunctions,
}

/** What kernels may use of a device and its WGSL. */
export interface Abilities {
  readonly subgroups: boolean
  /** Whether WGSL multiplies packed bytes. */
  readonly byteProducts: boolean
}

const CALL = /\b([A-Za-z][A-Za-z0-9_]*)\(/g

/** The sources of the functions that a text calls, directly or through others; each before those that call it. */
export function functionsIn(text: string, { subgroups, byteProducts }: Abilities): string {
  const sources: Sources = {
    ...functions,
    ...(subgroups && subgroupFunctions),
    ...(byteProducts && byteFunctions),
  }
  const found = new Set<string>()
  const visit = (source: string): void => {
    for (const [, name] of source.matchAll(CALL)) {
      const called = sources[name!]
      if (called === undefined || found.has(called) || called === source) continue
      visit(called)
      found.add(called)
    }
  }
  visit(text)
  return [...found].map((source) => `${source}\n`).join('')
}
