// Smaller models: pruned, quantized, distilled; with their accuracy, size and speed.

import type { Model } from 'myelin'
import { ReDo } from 'myelin/balance'
import { distill, ledger, pruneUnits, quantize } from 'myelin/thrift'
import { build, compile } from './build'
import { networkOf } from '../model/network'
import type { Measured } from './protocol'
import type { Run } from './run'

/** Epochs in which a pruned model recovers, and in which a small one learns from a large one. */
const RECOVERY = 20
const LESSONS = 60
const CALIBRATION = 200

/** The milliseconds of a group of calls that is timed as one, because clocks of pages are coarse; and the number of groups. */
const GROUP = 5
const GROUPS = 5

/** The milliseconds of a call: the mean of the fastest group, because other work only makes groups slower. */
async function fastest(call: () => Promise<unknown>): Promise<number> {
  const timed = async (calls: number): Promise<number> => {
    const started = performance.now()
    for (let i = 0; i < calls; i++) await call()
    return performance.now() - started
  }
  let calls = 1
  let least = await timed(calls)
  while (least < GROUP) least = await timed((calls *= 2))
  for (let group = 1; group < GROUPS; group++) least = Math.min(least, await timed(calls))
  return least / calls
}

/** The models that were made, by their labels, so that one of them can be adopted. */
export class Smaller {
  private readonly models = new Map<string, Model>()

  constructor(private readonly run: Run) {}

  async measure(label: string, model: Model): Promise<Measured> {
    const { xTest, yTest } = this.run
    const logs = await model.evaluate(xTest, yTest, { verbose: 0 })
    const { loss, ...metrics } = logs as Record<string, number>
    const bytes = (await model.save(undefined, { includeOptimizer: false })).length
    const rows = xTest.shape[0]!
    const microseconds = (1000 * (await fastest(() => model.predict(xTest, { batchSize: 256, verbose: 0 })))) / rows
    return {
      label,
      loss: loss!,
      metric: Object.values(metrics)[0]!,
      parameters: model.countParams(),
      bytes,
      flops: ledger(model, { batchSize: 1 }).prediction.flops,
      microseconds,
    }
  }

  private remember(label: string, model: Model): void {
    this.models.get(label)?.dispose()
    this.models.set(label, model)
  }

  async prune(keep: number): Promise<Measured[]> {
    const { x, y } = this.run.trainingData
    const small = await pruneUnits(this.run.model, { keep, by: 'utility', x })
    const label = `${Math.round(100 * (1 - keep))} % of the units removed`
    const before = await this.measure(label, small)
    await small.fit(x, y, { epochs: RECOVERY, batchSize: this.run.network.batchSize, verbose: 0 })
    const after = `… and trained for ${RECOVERY} epochs`
    this.remember(after, small)
    return [before, await this.measure(after, small)]
  }

  async quantize(): Promise<Measured[]> {
    const { x } = this.run.trainingData
    const rows = Math.min(CALIBRATION, x.shape[0]!)
    const width = x.size / x.shape[0]!
    const calibration = { data: x.data.slice(0, rows * width) as Float32Array, shape: [rows, ...x.shape.slice(1)] }
    const small = quantize(this.run.model, { calibration })
    const measured = await this.measure('Weights in 8 bits', small)
    small.dispose()
    return [measured]
  }

  /** A student with a share of the units learns from the answers of the model. */
  async distil(share: number): Promise<Measured[]> {
    const { recipe, data, model } = this.run
    const { x, y } = this.run.trainingData
    const layers = recipe.layers.map(({ kind, values }) => {
      const fewer = (name: string): Record<string, number> =>
        name in values ? { [name]: Math.max(2, Math.round(Number(values[name]) * share)) } : {}
      return { kind, values: { ...values, ...fewer('units'), ...fewer('filters') } }
    })
    const network = networkOf({ ...recipe, layers }, data.form)
    const student = build(network)
    const fit = { epochs: LESSONS, batchSize: network.batchSize, verbose: 0 } as const
    const label = `A student with ${Math.round(100 * share)} % of the units`
    if (data.form.task.kind === 'classes') {
      const distiller = distill(model, student, { optimizer: 'adam' })
      await distiller.fit(x, y, fit)
      compile(student, network)
    } else {
      // A number has no classes to compare: the student learns the answers themselves.
      await student.fit(x, await model.predict(x, { verbose: 0 }), fit)
    }
    this.remember(label, student)
    return [await this.measure(label, student)]
  }

  /** Renews dormant units. Returns their number. */
  async regenerate(): Promise<number> {
    const { run } = this
    const redo = new ReDo({ every: Math.ceil(run.data.form.trainRows / run.network.batchSize), threshold: 0.05 })
    await run.advance(1, { limit: null, withHealth: false, callbacks: [redo] })
    return Object.values(redo.replaced).reduce((sum, each) => sum + each, 0)
  }

  /** Takes out the model of a label. */
  take(label: string): Model {
    const model = this.models.get(label)
    if (model === undefined) throw new Error(`No model is kept as '${label}'`)
    this.models.delete(label)
    return model
  }

  dispose(): void {
    for (const model of this.models.values()) model.dispose()
    this.models.clear()
  }
}
