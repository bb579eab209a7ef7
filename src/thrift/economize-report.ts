// What economize tried, measured and kept.

import { count, formatBytes } from '../core/table'
import type { Table } from './report'
import { Report } from './report'

/** What a model costs, and how good it is. */
export interface EconomizeFigures {
  /** Of a prediction of one batch: the median of several measurements. */
  readonly seconds: number
  /** Of the same prediction. */
  readonly joules: number
  /** The bytes of the file, without the optimizer. */
  readonly bytes: number
  /** The monitored value. */
  readonly value: number
}

/** A step that was tried. */
export interface EconomizeRow {
  /** 'dead units', 'fewer units', 'low rank' or 'int8'. */
  readonly step: string
  /** Whether it was tried on the given model, or on top of the steps that were kept before. */
  readonly how: 'alone' | 'together'
  /** Whether the result contains it. */
  readonly kept: boolean
  /** Why it does not pay; null if it does. */
  readonly why: string | null
  /** The figures of the model, with the monitored value on rows that judge steps; null if there is no such model. */
  readonly figures: EconomizeFigures | null
  /** How many times as fast as the model without the step, timed in turn. */
  readonly speed: number | null
}

/** The fields of a report. */
type Content = Omit<EconomizeReport, 'toJSON' | keyof Report>

/** What `economize` tried. Consoles show it as a table. */
export class EconomizeReport extends Report {
  /** The name of the model. */
  declare readonly model: string
  /** The name of the monitored value. */
  declare readonly monitor: string
  /** By how much the monitored value was allowed to get worse. */
  declare readonly maxLoss: number
  /** The number of rows of the predictions that were timed. */
  declare readonly batchSize: number
  /** Whether joules are read from the processor's counter, or estimated from CPU seconds. */
  declare readonly joules: 'measured' | 'estimated'
  /** The number of rows that judge steps. */
  declare readonly judges: number
  /** The number of rows that only give the figures before and after. */
  declare readonly tests: number
  /** The steps in the order in which they were tried. */
  declare readonly rows: readonly EconomizeRow[]
  /** The figures of the given model, with the monitored value on rows that chose nothing. */
  declare readonly before: EconomizeFigures
  /** The figures of the result on the same rows. */
  declare readonly after: EconomizeFigures

  constructor(private readonly content: Content) {
    super()
    Object.assign(this, content)
    // Not enumerable, because its properties are those of the report.
    Object.defineProperty(this, 'content', { enumerable: false })
  }

  /** Plain data. */
  toJSON(): Content {
    return this.content
  }

  protected table(): Table {
    const { model, monitor, maxLoss, batchSize, joules, judges, tests, rows, before, after } = this
    const cells = ({ seconds, joules: energy, bytes, value }: EconomizeFigures): string[] => [
      rounded(1e6 * seconds),
      rounded(1e6 * energy),
      formatBytes(bytes),
      value.toFixed(4),
    ]
    const tried = rows.map(({ step, how, kept, why, figures, speed }) => [
      `${step}, ${how}`,
      ...(figures === null ? ['', '', '', ''] : cells(figures)),
      speed === null ? '' : `${speed.toFixed(2)} ×`,
      why ?? (kept ? 'kept' : 'pays, but not chosen'),
    ])
    const gain = `${(before.seconds / after.seconds).toFixed(2)} ×`
    return {
      title: `Economies of "${model}": ${monitor} may get worse by ${maxLoss}`,
      head: ['Step', 'µs', 'µJ', 'File', monitor, 'Speed', 'Result'],
      rows: [
        ['as given, on test rows', ...cells(before), '', ''],
        ...tried,
        ['result, on test rows', ...cells(after), gain, ''],
      ],
      numbers: [1, 6],
      notes: [
        `µs and µJ of a prediction of ${batchSize} rows on this machine; joules are ${joules}${joules === 'estimated' ? ' from CPU seconds at 12 W' : ''}.`,
        `Speed: compared in turn with the model without the step. ${count(judges)} rows judge the steps, ${count(tests)} others are for testing.`,
      ],
    }
  }
}

/** Three digits. */
const rounded = (value: number): string => count(Number(value.toPrecision(3)))
