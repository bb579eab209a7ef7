// Initializers by name.

import { Registry, type ClassesIn, type UserFunction } from '../../core/registry'
import type * as all from './'
import { Initializer } from './initializer'
import * as named from './named'
import { FURTHER_NAMES } from './names'
import type * as secondNames from './second-names'

type OwnName = Exclude<ClassesIn<typeof all>, keyof typeof secondNames>
const unnamed = { STFT: true } satisfies Record<Exclude<OwnName, keyof typeof named>, true>

export const initializers = /* @__PURE__ */ new Registry('initializer', Initializer, () => named, {
  aliases: FURTHER_NAMES,
  unnamed,
  ofFunction: ({ call }: UserFunction<named.InitializerFunction>) => new named.LambdaInitializer({ initializer: call }),
})
