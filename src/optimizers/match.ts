// Selects weights: by a part of their name, a regular expression, a function, or by reference.

import { ArgumentError } from '../core/errors'
import { fileScope, type MakePattern } from '../core/file-scope'
import { custom, type Kind } from '../core/options'
import { functionNamed, isSerialized, savedName, type Json } from '../core/registry'
import { Variable } from '../ops/variable'

/**
 * Makes regular expressions outside of files. The first file replaces it for good, because a configuration that is read later does not
 * contain whether it comes from a file.
 */
let make: MakePattern = (source, flags) => new RegExp(source, flags)

/** Sets how expressions are made outside of files. */
export function makePatternsWith(makePattern: MakePattern): void {
  make = makePattern
}

/** The regular expression of a text, which comes from a configuration or from an option. */
export function patternOf(source: string, flags = ''): RegExp {
  return (fileScope().makePattern ?? make)(source, flags)
}

const CHOOSES = 'that chooses weights'

/** An object with weights, such as a layer or a model. */
export interface HasWeights {
  readonly weights: readonly Variable[]
}

/** A part of the weight's name, such as `encoder/` or `bias`; a regular expression for it; a function; or weights and layers. */
export type Match = string | RegExp | ((variable: Variable) => boolean) | Variable | HasWeights | readonly Match[]

/** Whether a weight is selected. */
export function matches(match: Match, variable: Variable): boolean {
  if (typeof match === 'string') return variable.name.includes(match)
  // `test` would continue at the lastIndex of a global expression.
  if (match instanceof RegExp) return variable.name.search(match) >= 0
  if (typeof match === 'function') return match(variable) === true
  if (match instanceof Variable) return match === variable
  return 'weights' in match ? match.weights.includes(variable) : match.some((each) => matches(each, variable))
}

function isMatch(value: unknown): value is Match {
  if (typeof value === 'string') return value !== ''
  if (typeof value === 'function' || value instanceof RegExp || value instanceof Variable) return true
  if (Array.isArray(value)) return value.every(isMatch)
  return typeof value === 'object' && value !== null && 'weights' in value && Array.isArray(value.weights)
}

// Saved forms: a string; { className: 'RegExp', config: { source, flags } }; { className: 'Function', config: { name }
// }
function revive(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revive)
  if (!isSerialized(value)) return value
  const { className, config } = value
  if (className === 'RegExp') return patternOf(String(config['source']), String(config['flags'] ?? ''))
  return functionNamed(className === 'Function' ? String(config['name']) : className, CHOOSES)
}

function write(match: Match): Json {
  if (typeof match === 'string') return match
  if (match instanceof RegExp) return { className: 'RegExp', config: { source: match.source, flags: match.flags } }
  if (typeof match === 'function') return { className: 'Function', config: { name: savedName(match, CHOOSES) } }
  if (match instanceof Variable) return write(exactly([match]))
  return 'weights' in match ? write(exactly(match.weights)) : match.map(write)
}

function exactly(variables: readonly Variable[]): RegExp {
  return new RegExp(`^(${variables.map(({ name }) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})$`)
}

export const matchKind: Kind<Match> = custom((value, where) => {
  const match = revive(value)
  if (isMatch(match)) return match
  throw new ArgumentError(
    `${where} must be a part of a weight's name, a regular expression, a function, weights or layers`,
  )
}, write)
