// Initializers by name.

import { Registry } from '../core/registry'
import type { InitializerFunction } from './index'
import {
  Constant,
  GlorotNormal,
  GlorotUniform,
  HeNormal,
  HeUniform,
  Identity,
  Initializer,
  LambdaInitializer,
  LecunNormal,
  LecunUniform,
  Ones,
  Orthogonal,
  RandomNormal,
  RandomUniform,
  TruncatedNormal,
  VarianceScaling,
  Zeros,
} from './index'

const isInitializer = (value: unknown): value is Initializer => value instanceof Initializer

export const initializers = new Registry<Initializer>(
  'initializer',
  isInitializer,
  () => ({
    Zeros,
    Ones,
    Constant,
    Identity,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    GlorotUniform,
    GlorotNormal,
    HeUniform,
    HeNormal,
    LecunUniform,
    LecunNormal,
    Orthogonal,
    LambdaInitializer,
  }),
  {
    aliases: {
      identityInitializer: 'Identity',
      orthogonalInitializer: 'Orthogonal',
      normal: 'RandomNormal',
      uniform: 'RandomUniform',
      one: 'Ones',
      zero: 'Zeros',
    },
    unnamed: ['STFT'],
    ofFunction: (initializer: InitializerFunction) => new LambdaInitializer({ initializer }),
  },
)
