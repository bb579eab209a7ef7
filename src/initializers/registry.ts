// Initializers by name.

import { Registry } from '../core/registry'
import {
  Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, Initializer, LecunNormal, LecunUniform,
  Ones, Orthogonal, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling, Zeros,
} from './index'

const isInitializer = (value: unknown): value is Initializer => value instanceof Initializer

export const initializers = new Registry<Initializer>('initializer', isInitializer)
  .add('Zeros', () => new Zeros())
  .add('Ones', () => new Ones())
  .add('Constant', (config) => new Constant(config))
  .add('Identity', (config) => new Identity(config), 'identityInitializer')
  .add('RandomNormal', (config) => new RandomNormal(config), 'normal')
  .add('RandomUniform', (config) => new RandomUniform(config), 'uniform')
  .add('TruncatedNormal', (config) => new TruncatedNormal(config))
  .add('VarianceScaling', (config) => new VarianceScaling(config))
  .add('GlorotUniform', (config) => new GlorotUniform(config))
  .add('GlorotNormal', (config) => new GlorotNormal(config))
  .add('HeUniform', (config) => new HeUniform(config))
  .add('HeNormal', (config) => new HeNormal(config))
  .add('LecunUniform', (config) => new LecunUniform(config))
  .add('LecunNormal', (config) => new LecunNormal(config))
  .add('Orthogonal', (config) => new Orthogonal(config))
