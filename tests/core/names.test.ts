// The names that editors complete are those of the classes that need no options: NamesOf computes them from the names alone, this test
// from the constructors.
// modes: simd

import { expectTypeOf, it } from 'vitest'
import type { Configurable, NamesOf } from '../../src/core/registry'
import type * as losses from '../../src/losses/named'
import type * as metrics from '../../src/metrics/named'
import type * as optimizers from '../../src/optimizers/rules'
import type * as constraints from '../../src/parts/constraints/named'
import type * as initializers from '../../src/parts/initializers/named'
import type * as regularizers from '../../src/parts/regularizers/named'

/** `AUC` → `auc`, `RMSprop` → `rmsprop`, `Huber` → `huber`: without the capitals that a name begins with. */
type CamelCase<Name extends string> = Name extends `KL${infer Rest}` ? `kl${Rest}` : SmallFirst<Name>
type SmallFirst<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? First extends Lowercase<First>
    ? Name
    : `${Lowercase<First>}${SmallFirst<Rest>}`
  : Name

/** The names of a module's classes that need no options. */
type Optionless<Module> = keyof {
  [
    Name in keyof Module as Module[Name] extends new (...inputs: never) => Configurable
      ? [] extends ConstructorParameters<Module[Name]>
        ? CamelCase<Name & string>
        : never
      : never
  ]: true
}

it('lists the classes that need no options', () => {
  expectTypeOf<NamesOf<typeof losses>>().toEqualTypeOf<Optionless<typeof losses>>()
  expectTypeOf<NamesOf<typeof optimizers>>().toEqualTypeOf<Optionless<typeof optimizers>>()
  expectTypeOf<NamesOf<typeof metrics, 'MeanMetricWrapper'>>().toEqualTypeOf<Optionless<typeof metrics>>()
  expectTypeOf<NamesOf<typeof constraints, 'Constraint' | 'LambdaConstraint'>>().toEqualTypeOf<
    Optionless<typeof constraints>
  >()
  expectTypeOf<NamesOf<typeof initializers, 'computeFans' | 'LambdaInitializer'>>().toEqualTypeOf<
    Optionless<typeof initializers>
  >()
  expectTypeOf<NamesOf<typeof regularizers, 'Regularizer' | 'LambdaRegularizer'>>().toEqualTypeOf<
    Optionless<typeof regularizers>
  >()
})
