import { Adam, Dense, Model, Sequential, losses, metrics, ops, type Loss, type Tensor } from '../../../src'
import { Numbers, rows } from './drawn'
import type { Program } from './program'

const [ALPHA, TEMPERATURE] = [0.1, 3]

class Distiller extends Model<Tensor, Tensor> {
  constructor(
    readonly student: Sequential,
    readonly teacher: Sequential,
    private readonly studentLoss: Loss,
    private readonly distillationLoss: Loss,
  ) {
    super()
  }

  override computeLoss(x: Tensor, y: Tensor | null, yPred: Tensor): Tensor {
    const teacherPred = this.teacher.apply(x, { training: false })
    const studentLoss = this.studentLoss.apply(y!, yPred)
    const distillationLoss = this.distillationLoss.apply(
      ops.softmax(ops.divide(teacherPred, TEMPERATURE), 1),
      ops.softmax(ops.divide(yPred, TEMPERATURE), 1),
    )
    const scaled = ops.multiply(distillationLoss, TEMPERATURE ** 2)
    return ops.add(ops.multiply(studentLoss, ALPHA), ops.multiply(scaled, 1 - ALPHA))
  }

  override call(x: Tensor): Tensor {
    return this.student.apply(x)
  }
}

export const run: Program = async (begin) => {
  const numbers = new Numbers(9)
  const x = numbers.uniform(80, 8)
  const isPositive = (column: number): Tensor => ops.cast(ops.greater(ops.take(x, column, 1), 0), 'int32')
  const y = ops.add(isPositive(0), isPositive(1))

  const teacher = new Sequential([new Dense(24, { activation: 'leakyRelu', inputShape: [8] }), new Dense(3)])
  const student = new Sequential([new Dense(6, { activation: 'leakyRelu', inputShape: [8] }), new Dense(3)])
  begin({ teacher, student })
  teacher.compile({
    optimizer: new Adam({ learningRate: 0.01 }),
    loss: new losses.SparseCategoricalCrossentropy({ fromLogits: true }),
    metrics: [new metrics.SparseCategoricalAccuracy()],
  })
  const taught = await teacher.fit(x, y, { batchSize: 16, epochs: 3, shuffle: false, verbose: 0 })

  teacher.trainable = false
  const distiller = new Distiller(
    student,
    teacher,
    new losses.SparseCategoricalCrossentropy({ fromLogits: true }),
    new losses.KLDivergence(),
  )
  distiller.compile({ optimizer: new Adam({ learningRate: 0.01 }), metrics: [new metrics.SparseCategoricalAccuracy()] })
  const { history } = await distiller.fit(x, y, { batchSize: 16, epochs: 3, shuffle: false, verbose: 0 })
  return { taught: taught.history, history, predictions: await student.predict(rows(x, 0, 6)) }
}
