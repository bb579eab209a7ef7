import { Adam, Dense, Input, Model, metrics, ops, type Tensor } from '../../../src'
import { Numbers, rows } from './drawn'
import type { Program } from './program'

type Parts = readonly [reconstruction: Tensor, zMean: Tensor, zLogVar: Tensor]

class VAE extends Model<readonly [Tensor, Tensor], Parts> {
  readonly reconstructionLossTracker = new metrics.Mean({ name: 'reconstructionLoss' })
  readonly klLossTracker = new metrics.Mean({ name: 'klLoss' })

  constructor(
    readonly encoder: Model<Tensor, readonly [Tensor, Tensor]>,
    readonly decoder: Model<Tensor, Tensor>,
  ) {
    super()
  }

  override call([data, epsilon]: readonly [Tensor, Tensor]): Parts {
    const [zMean, zLogVar] = this.encoder.apply(data)
    const z = ops.add(zMean, ops.multiply(ops.exp(ops.multiply(zLogVar, 0.5)), epsilon))
    return [this.decoder.apply(z), zMean, zLogVar]
  }

  override computeLoss([data]: readonly [Tensor, Tensor], _y: Parts | null, yPred: Parts): Tensor {
    const [reconstruction, zMean, zLogVar] = yPred
    const reconstructionLoss = ops.mean(ops.sum(ops.square(ops.subtract(data, reconstruction)), 1))
    const kl = ops.subtract(ops.add(zLogVar, 1), ops.add(ops.square(zMean), ops.exp(zLogVar)))
    const klLoss = ops.mean(ops.sum(ops.multiply(kl, -0.5), 1))
    this.reconstructionLossTracker.update(reconstructionLoss)
    this.klLossTracker.update(klLoss)
    return ops.add(reconstructionLoss, klLoss)
  }
}

export const run: Program = async (begin) => {
  const numbers = new Numbers(8)
  const [data, epsilon] = [numbers.uniform(64, 6), numbers.uniform(64, 2)]

  const encoderInputs = Input({ shape: [6] })
  let x = new Dense(12, { activation: 'relu' }).apply(encoderInputs)
  const zMean = new Dense(2, { name: 'z_mean' }).apply(x)
  const zLogVar = new Dense(2, { name: 'z_log_var' }).apply(x)
  const encoder = new Model<Tensor, readonly [Tensor, Tensor]>({ inputs: encoderInputs, outputs: [zMean, zLogVar] })
  const latentInputs = Input({ shape: [2] })
  x = new Dense(12, { activation: 'relu' }).apply(latentInputs)
  const decoder = new Model<Tensor, Tensor>({
    inputs: latentInputs,
    outputs: new Dense(6, { activation: 'tanh' }).apply(x),
  })

  const vae = new VAE(encoder, decoder)
  begin({ encoder, decoder })
  vae.compile({ optimizer: new Adam() })
  const { history } = await vae.fit([data, epsilon], { epochs: 4, batchSize: 16, shuffle: false, verbose: 0 })
  return { history, generated: await decoder.predict(rows(epsilon, 0, 6)) }
}
