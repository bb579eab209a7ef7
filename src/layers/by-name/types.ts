// The types of ops that take their required arguments by name, too: they follow from the type of the function and from the
// names of its parameters, which tests/ops/by-name.test.ts compares with the sources.

import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { Arguments } from './arguments'

/** 'x k' → ['x', 'k'] */
type Names<Text extends string> = Text extends `${infer First} ${infer Others}` ? [First, ...Names<Others>] : [Text]

/** The objects of options among the types of an argument. */
type OptionsIn<Type> = Type extends
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly unknown[]
  | ArrayBufferView
  | Tensor
  | Variable
  | ((...given: never[]) => unknown)
  | { readonly data: unknown }
  | { readonly real: unknown }
  ? never
  : Type

/** The type of the parameter with a name. */
type TypeOf<Name, All, Types> = [All, Types] extends [[infer First, ...infer Others], [infer Type, ...infer Rest]]
  ? First extends Name
    ? Exclude<Type, OptionsIn<Type>>
    : TypeOf<Name, Others, Rest>
  : never

/** The first parameters, with their labels. */
type FirstOf<Types, Count> = Types extends { readonly length: Count }
  ? Types
  : Types extends [...infer Before, unknown]
    ? FirstOf<Before, Count>
    : never

/** The last type of a list. */
type Last<Types> = Types extends [...unknown[], infer Type] ? Type : never

/** The options of an op, which are an object in the place of its last required argument or of the next one. */
type OptionsOf<All extends unknown[], Types> = OptionsIn<
  Last<FirstOf<Types, All['length']>> | Last<FirstOf<Types, [...All, unknown]['length']>>
>

/** Without the names that are required; of `rearrange`, any name. */
type Others<Options, All extends unknown[]> = [Options] extends [never]
  ? unknown
  : string extends keyof Options
    ? Readonly<Record<string, unknown>>
    : Omit<Options, All[number] & string>

/** A type as one object, which editors show. */
type Shown<Type> = { [Key in keyof Type]: Type[Key] } & {}

/** Some arguments by name, with their documentation. */
type Given<Some extends unknown[], All, Types> = {
  [Name in keyof Pick<Arguments, Some[number] & keyof Arguments>]: TypeOf<Name, All, Types>
}

/** The calls with the arguments of `Some` by name, and those before in order. */
type Calls<Before extends unknown[], Some extends unknown[], All extends unknown[], Types extends unknown[], Result> =
  FirstOf<Types, Before['length']> extends infer First extends unknown[]
    ? ((...given: [...First, named: Shown<Given<Some, All, Types> & Others<OptionsOf<All, Types>, All>>]) => Result) &
        (Some extends [infer Name, infer Next, ...infer Later]
          ? Calls<[...Before, Name], [Next, ...Later], All, Types, Result>
          : unknown)
    : never

/** An op, also with its required arguments by name, from any of them on: `topK(x, { k: 3 })`, `topK({ x, k: 3 })`. */
export type ByName<Op extends (...given: never[]) => unknown, Text extends string> = Op &
  Calls<[], Names<Text>, Names<Text>, Required<Parameters<Op>>, ReturnType<Op>>
