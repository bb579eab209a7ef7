// tmp
import type { Tensor } from '../../ops/tensor'
import { TENSOR } from '../forms'
import { Layer } from '../layer'
export abstract class TensorLayer extends Layer<Tensor> {
  static override readonly form = TENSOR
}
