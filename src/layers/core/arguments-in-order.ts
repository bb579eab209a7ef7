// The required arguments of an op that come by name, put in order.

import { ArgumentError, normalizeName, unknownName } from '../../core/errors'
import { isRecord } from '../../core/tree'

/** The parameters of an op that users may give by name. */
interface Parameters {
  /** The names of those that are required, in order. */
  readonly required: readonly string[]
  /** Whether each of them is a tree. */
  readonly isTree: readonly boolean[]
  /** All names, by their forms that are the same in camelCase and snake_case. */
  readonly named: ReadonlyMap<string, string>
  /** The names that `named` gives for keys that were looked for, because calls repeat their keys. */
  readonly found: Map<string, string | undefined>
}

/** The most keys that an op remembers. */
const MOST_KEYS = 50

const known = /* @__PURE__ */ new Map<string, Parameters>()

/** @param text such as `x k`; `*` before a name marks a tree, `?` one that is not required */
function parametersIn(text: string): Parameters {
  let found = known.get(text)
  if (found === undefined) {
    const all = text.split(' ')
    const required = all.filter((each) => !each.startsWith('?'))
    const bare = (each: string): string => each.replace(/^[*?]/, '')
    found = {
      required: required.map(bare),
      isTree: required.map((each) => each.startsWith('*')),
      named: new Map(all.map(bare).map((each) => [normalizeName(each), each])),
      found: new Map(),
    }
    known.set(text, found)
  }
  return found
}

/** The parameter that a key names in either spelling; undefined if there is none. */
function nameOf(key: string, { named, found }: Parameters): string | undefined {
  if (found.has(key)) return found.get(key)
  const name = named.get(normalizeName(key))
  if (found.size < MOST_KEYS) found.set(key, name)
  return name
}

/** Whether a record is one operand: data with its shape, or the parts of complex numbers. */
const isOperand = (given: object): boolean =>
  ('data' in given && 'shape' in given) || ('real' in given && 'imag' in given)

/**
 * Puts required arguments that come by name, in an object at the end, into their places. The object keeps the options:
 * `topK(x, { k: 3, sorted: false })` is `topK(x, 3, { sorted: false })`. A record in the place of a tree is that tree, unless
 * all its keys are names of parameters.
 * @param where names the op in errors
 * @param parameters the names: see `parametersIn`
 * @param given the arguments of a call
 * @param count the number of all parameters
 * @throws ArgumentError for an argument that is given twice, one that is missing beside a last object, and for an unknown name
 */
export function argumentsInOrder(
  where: () => string,
  parameters: string,
  given: readonly unknown[],
  count: number,
): readonly unknown[] {
  const at = given.length - 1
  const last = given[at]
  if (!isRecord(last) || isOperand(last)) return given
  const names = parametersIn(parameters)
  const { required, isTree } = names
  const keys = Object.keys(last)
  const isRequired = (key: string): boolean => required.includes(nameOf(key, names) ?? '')
  const hasRequired = keys.some(isRequired)
  const isItself = isTree[at] === true && !(hasRequired && keys.every((key) => nameOf(key, names) !== undefined))
  if (isItself || (at >= required.length && !hasRequired)) return given
  const byName = new Map<string, unknown>()
  for (const key of keys.filter(isRequired)) {
    const name = nameOf(key, names)!
    if (byName.has(name)) throw new ArgumentError(`${where()}: ${name} is given twice, in two spellings`)
    byName.set(name, last[key])
  }
  const twice = required.slice(0, at).find((name) => byName.has(name))
  if (twice !== undefined) throw new ArgumentError(`${where()}: ${twice} is given twice, in order and by name`)
  const wanted = required.slice(at)
  const missing = wanted.filter((name) => byName.get(name) === undefined)
  if (missing.length > 0)
    throw new ArgumentError(
      `${where()}: needs ${missing.join(' and ')}, in order or by name, received { ${keys.join(', ')} }`,
    )
  const options = keys.filter((key) => !isRequired(key))
  if (options.length > 0 && required.length === count)
    throw unknownName(`argument of ${where()}`, options[0]!, required)
  const placed = [...given.slice(0, at), ...wanted.map((name) => byName.get(name))]
  return options.length === 0 ? placed : [...placed, Object.fromEntries(options.map((key) => [key, last[key]]))]
}
