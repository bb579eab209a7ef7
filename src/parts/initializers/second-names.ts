// Keras's second names of initializers.

export {
  Constant as constant,
  GlorotNormal as glorotNormal,
  GlorotUniform as glorotUniform,
  HeNormal as heNormal,
  HeUniform as heUniform,
  Identity as identity,
  Identity as IdentityInitializer,
  LecunNormal as lecunNormal,
  LecunUniform as lecunUniform,
  Ones as ones,
  Orthogonal as orthogonal,
  Orthogonal as OrthogonalInitializer,
  RandomNormal as randomNormal,
  RandomUniform as randomUniform,
  TruncatedNormal as truncatedNormal,
  VarianceScaling as varianceScaling,
  Zeros as zeros,
} from './named'
export { STFT as stft, STFT as STFTInitializer } from './stft'
