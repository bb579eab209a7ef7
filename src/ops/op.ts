// Declares ops. The declaration of an op is its parameters and its function. The rest follows from them: the calls in order
// and by name in both spellings, the types with the documentation of each argument, the checks, the refusal of other
// arguments, and the recording on symbols of functional models.
//
//   export const take = op(() => [arg('x', operand), arg('indices', operand), optional('axis', nullable(integer()))], {
//     /** Picks slices along an axis: … */
//     take(x, indices, axis = null) { … },
//   })
//
// take(x, [0, 1], 1) and take(x, [0, 1], { axis: 1 }) and take({ x, indices: [0, 1], axis: 1 }) are the same call. The
// documentation stands at the function, because editors show the documentation of the first signature. An op of one or two operands
// has one signature, so its documentation stands at the constant:
//
//   /** x / (1 + |x|) */
//   export const softsign = unaryOp('softsign', (x) => …)

import type { Arguments } from './arguments-by-name'
import { internalError } from '../core/errors'
import type { AnyFunction } from '../core/registry'
import { inOrder, ordered, placesOf, type Place, type Places } from './in-order'
import { operand, type ArgumentKind } from './kinds'
import { recorderIn } from './recorder'
import type { CallRecorder, RecordedOp } from './tensor'
import type { TensorLike } from './variable'

/** A parameter of an op. */
export interface Parameter<Name extends string, Value, Input, Optional extends boolean = boolean> {
  readonly name: Name
  readonly kind: ArgumentKind<Value, Input>
  readonly isOptional: Optional
  /** Whether it takes all further arguments of a call in order. */
  readonly isRest?: boolean
  /** Whether it takes the arguments of all other names, as one record. */
  readonly takesOthers?: boolean
}

type AnyParameter = Parameter<string, never, never> | Parameter<string, unknown, unknown>

/** A required parameter. */
export function arg<const Name extends keyof Arguments, Value, Input>(
  name: Name,
  kind: ArgumentKind<Value, Input>,
): Parameter<Name, Value, Input, false> {
  return { name, kind, isOptional: false }
}

/** A parameter whose default stands in the op's function. */
export function optional<const Name extends keyof Arguments, Value, Input>(
  name: Name,
  kind: ArgumentKind<Value, Input>,
): Parameter<Name, Value, Input, true> {
  return { name, kind, isOptional: true }
}

/** A parameter that takes all further operands of a call in order. */
export function rest<const Name extends keyof Arguments, Value, Input>(
  name: Name,
  kind: ArgumentKind<Value, Input>,
): Parameter<Name, Value, Input, false> & { readonly isRest: true } {
  return { name, kind, isOptional: false, isRest: true }
}

/** An optional parameter that takes the arguments of all other names, as one record. */
export function others<const Name extends keyof Arguments, Value, Input>(
  name: Name,
  kind: ArgumentKind<Value, Input>,
): Parameter<Name, Value, Input, true> & { readonly takesOthers: true } {
  return { name, kind, isOptional: true, takesOthers: true }
}

// ---------------------------------------------------------------- types

type ValueOf<One> = One extends Parameter<string, infer Value, infer _Input> ? Value : never

/** The arguments of the function of an op. */
type ValuesIn<All extends readonly unknown[]> = All extends readonly [
  ...infer Others,
  infer Last extends { readonly isRest: true },
]
  ? [...{ [At in keyof Others]: ValueOf<Others[At]> }, ...ValueOf<Last>[]]
  : { [At in keyof All]: ValueOf<All[At]> }

/** A type as one object, which editors show. */
type Shown<Type> = { [Key in keyof Type]: Type[Key] } & {}

/** The names of parameters: 'NAME...' takes the arguments of all other names. */
type NamesIn<All extends readonly unknown[]> = {
  [At in keyof All]: All[At] extends { readonly isRest: true }
    ? never
    : All[At] extends Parameter<infer Name, infer _Value, infer _Input>
      ? All[At] extends { readonly takesOthers: true }
        ? `${Name}...`
        : Name
      : never
}

/** One argument by name, with its documentation. */
type Required1<Name, Type> = { readonly [Key in keyof Pick<Arguments, Name & keyof Arguments>]: Type }
type Optional1<Name, Type> = { readonly [Key in keyof Pick<Arguments, Name & keyof Arguments>]?: Type | undefined }

/** The arguments of these names and types. */
type ByName<Names, Types> = Names extends readonly [infer Name, ...infer Others]
  ? Types extends readonly [infer Type, ...infer Rest]
    ? Required1<Name, Type> & ByName<Others, Rest>
    : Types extends readonly [(infer Type)?, ...infer Rest]
      ? Optional1<Name, Type> & ByName<Others, Rest> & OthersOf<Name>
      : unknown
  : unknown

type OthersOf<Name> = Name extends `${string}...` ? Readonly<Record<string, unknown>> : unknown

/** The first parameters, with their labels. */
type FirstOf<Types extends readonly unknown[], Count> = Types extends { readonly length: Count }
  ? Types
  : Types extends [...infer Before, unknown]
    ? FirstOf<Before, Count>
    : never

/** The calls with the parameters `Before` in order and the parameters `Names` by name. */
type Calls<
  All extends readonly unknown[],
  Before extends readonly unknown[],
  Names,
  Types,
  Result,
> = Names extends readonly [infer Name, ...infer Others]
  ? [Name] extends [never]
    ? unknown
    : ((...args: [...FirstOf<Required<All>, Before['length']>, named: Shown<ByName<Names, Types>>]) => Result) &
        Calls<All, [...Before, Name], Others, Types extends readonly [unknown?, ...infer Rest] ? Rest : [], Result>
  : unknown

type ParametersOf<Fn> = Fn extends (...args: infer All extends readonly unknown[]) => unknown ? All : never
type ResultOf<Fn> = Fn extends (...args: never[]) => infer Result ? Result : never

/**
 * An op as users call it: with arguments in order, or by name from any parameter on. It is an intersection, because declarations keep the name of
 * an intersection, and with it the documentation.
 */
export type Op<Method, Names> = Method[keyof Method] &
  Calls<
    ParametersOf<Method[keyof Method]>,
    [],
    Names,
    ParametersOf<Method[keyof Method]>,
    ResultOf<Method[keyof Method]>
  >

// ---------------------------------------------------------------- calls

export type Units = 'mixed' | 'apart' | 'scaled'

/** What distinguishes an op from others. */
export interface OpTraits {
  /** The namespace: `image` for `ops.image.resize`, `random` for `random.normal`. Default: `ops` itself. */
  readonly within?: string
  /** Its elements are elements of its operands: if those are indices, such as of tokens, the result holds the same indices. */
  readonly rearranges?: true
  /** It returns at once for symbols, too, as an op that reads a shape does: its calls are not recorded. */
  readonly answers?: true
  /**
   * How an activation computes the units of its operand, the elements along the last axis: `mixed`, each from all; `scaled`, each by
   * itself with f(c · x) = c · f(x) for every c > 0. Default: each by itself, `apart`.
   */
  readonly units?: Units
  /** The limits of the results, near which the gradient vanishes. */
  readonly limits?: readonly [lower: number, upper: number]
  /** The name of the activation that computes the same, if that is another op. */
  readonly activation?: string
}

/** An op with its declaration. */
export interface DeclaredOp extends RecordedOp {
  readonly traits: OpTraits
  /** The parameters in order. */
  readonly declare: () => readonly Place[]
  compute(...args: readonly unknown[]): unknown
}

/** The function of an op. Its arguments were read by the kinds of its parameters, which give them its types. */
type Compute = DeclaredOp['compute']

/** Tells a declared op from other functions. */
export function isDeclared(value: object): value is DeclaredOp {
  return 'traits' in value
}

/** How the calls of an op are read. */
interface Reading {
  readonly places: Places
  /** The positions that may hold symbols. */
  readonly holders: readonly number[]
  /** The parameters that are checked. */
  readonly checks: readonly Check[]
}

interface Check {
  readonly at: number
  readonly kind: Place['kind']
  readonly where: string
  readonly isOptional: boolean
}

function readingOf(opName: string, all: readonly Place[]): Reading {
  const where = opName.includes('.') ? opName : `ops.${opName}`
  const places = placesOf(where, all)
  return {
    places,
    holders: all.flatMap(({ kind }, at) => (kind.holds === undefined ? [] : [at])),
    // The op itself reads the arguments after a parameter that takes any number of operands.
    checks: all
      .slice(0, places.restAt)
      .flatMap(({ name, kind, isOptional }, at) =>
        kind === operand ? [] : [{ at, kind, where: `${opName}: ${name}`, isOptional }],
      ),
  }
}

/** The values of arguments in order. */
function valuesOf({ checks }: Reading, placed: readonly unknown[]): readonly unknown[] {
  if (checks.length === 0) return placed
  const values = [...placed]
  for (const { at, kind, where, isOptional } of checks)
    if (!isOptional || values[at] !== undefined) values[at] = kind.read(values[at], where)
  return values
}

/** The recorder of the first symbol among the arguments; undefined if there is none. */
function recorderAmong({ holders, places }: Reading, placed: readonly unknown[]): CallRecorder | undefined {
  for (const at of holders) {
    const found = recorderIn(placed[at])
    if (found !== undefined) return found
  }
  for (let at = places.restAt; at < placed.length; at++) {
    const found = recorderIn(placed[at])
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * An op with the signatures that follow from its parameters. The function itself takes any arguments and checks them.
 */
function declared<Signatures>(
  name: string,
  declare: () => readonly Place[],
  compute: Compute,
  traits: OpTraits,
): Signatures
function declared(name: string, declare: () => readonly Place[], compute: Compute, traits: OpTraits): DeclaredOp {
  const opName = traits.within === undefined ? name : `${traits.within}.${name}`
  let reading: Reading | undefined
  // The key gives the function its name. Defining the name afterwards takes longer.
  const call = {
    [name](...args: readonly unknown[]): unknown {
      reading ??= readingOf(opName, declare())
      const placed = inOrder(reading.places, args)
      const recorder = traits.answers === true ? undefined : recorderAmong(reading, placed)
      if (recorder !== undefined) return recorder(made, ordered(reading.places, args).saved)
      return compute(...valuesOf(reading, placed))
    },
  }[name]!
  const made: DeclaredOp = Object.assign(call, { opName, traits, declare, compute })
  return made
}

/**
 * Declares an op: see above.
 * @param declare the parameters; called at the first call
 * @param method one method, which has the name of the op
 */
/* @__NO_SIDE_EFFECTS__ */
export function op<
  const All extends readonly AnyParameter[],
  Method extends Readonly<Record<string, (...args: ValuesIn<All>) => unknown>>,
>(declare: () => All, method: Method, traits: OpTraits = {}): Op<Method, NamesIn<All>> {
  const [name, compute] = Object.entries<Compute>(method)[0]!
  return declared<Op<Method, NamesIn<All>>>(name, declare, compute, traits)
}

/**
 * Declares an op whose type does not follow from its parameters, because it is generic or has several signatures.
 * @param declare the parameters; called at the first call
 * @param method one method, which has the name of the op
 */
/* @__NO_SIDE_EFFECTS__ */
export function opOf<Signatures extends AnyFunction>(
  declare: () => readonly AnyParameter[],
  method: Readonly<Record<string, (...args: never[]) => unknown>>,
  traits: OpTraits = {},
): Signatures {
  const [name, compute] = Object.entries<Compute>(method)[0]!
  return declared<Signatures>(name, declare, compute, traits)
}

const ofX = (): readonly Place[] => [arg('x', operand)]
const ofTwo = (): readonly Place[] => [arg('x1', operand), arg('x2', operand)]

/** Declares an op of one operand. */
/* @__NO_SIDE_EFFECTS__ */
export function unaryOp<Result>(
  name: string,
  compute: (x: TensorLike) => Result,
  traits: OpTraits = {},
): (x: TensorLike) => Result {
  return declared<(x: TensorLike) => Result>(name, ofX, compute, traits)
}

/** Declares an op of two operands. */
/* @__NO_SIDE_EFFECTS__ */
export function binaryOp<Result>(
  name: string,
  compute: (x1: TensorLike, x2: TensorLike) => Result,
  traits: OpTraits = {},
): (x1: TensorLike, x2: TensorLike) => Result {
  return declared<(x1: TensorLike, x2: TensorLike) => Result>(name, ofTwo, compute, traits)
}

/** The same op under a second name. @param traits default: those of the op. They may place it in another namespace */
/* @__NO_SIDE_EFFECTS__ */
export function alias<Fn extends AnyFunction>(name: string, of: Fn, traits?: OpTraits): Fn {
  if (!isDeclared(of)) throw internalError(`alias ${name}: expected an op`)
  return declared<Fn>(name, of.declare, of.compute, traits ?? of.traits)
}
