// What economize tried, measured and kept.

import { count, counted, formatBytes } from '../core/table'
import { Report, type Table } from './report'
import { speedText, type Speedup } from './timing'

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
  /** Whether it was tried on the original model, or on top of the steps that were kept before. */
  readonly how: 'alone' | 'together'
  /** Whether the result contains it. */
  readonly kept: boolean
  /** Why it does not pay; null if it does. */
  readonly why: string | null
  /** The figures of the model, with the monitored value on rows that judge steps; null if there is no such model. */
  readonly figures: EconomizeFigures | null
  /** What it certainly gains; empty if it does not pay. */
  readonly gains: readonly ('faster' | 'smaller file')[]
  /** The figures of the model without the step, measured in turn with it; null if there is no model of the step. */
  readonly base: EconomizeFigures | null
  /** How many times as fast as the model without the step: `base.seconds / figures.seconds`. */
  readonly speed: number | null
  /** The 95 % interval of the speed. */
  readonly interval: readonly [low: number, high: number] | null
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
  /** The figures of the original model, with the monitored value on rows that chose nothing. */
  declare readonly before: EconomizeFigures
  /** The figures of the result on the same rows, timed in turn with the original model. */
  declare readonly after: EconomizeFigures
  /** How many times as fast as the original model the result is, with its 95 % interval; null if nothing was kept. */
  declare readonly speed: Speedup | null

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
    const { model, monitor, maxLoss, batchSize, joules, judges, tests, rows, before, after, speed: whole } = this
    // Times and joules of a step stand beside those of the model without it, from the same rounds.
    const cells = (
      base: EconomizeFigures | null,
      { seconds, joules: energy, bytes, value }: EconomizeFigures,
    ): string[] => [fromTo(base?.seconds, seconds), fromTo(base?.joules, energy), formatBytes(bytes), value.toFixed(4)]
    const tried = rows.map(({ step, how, kept, why, base, figures, speed, interval, gains }) => [
      `${step}, ${how}`,
      ...(figures === null ? ['', '', '', ''] : cells(base, figures)),
      speed === null ? '' : speedText({ low: interval![0], median: speed, high: interval![1] }),
      why ?? `${kept ? 'kept' : 'pays, but not chosen'}: ${gains.join(', ')}`,
    ])
    return {
      title: `Economies of "${model}": ${monitor} may get worse by ${maxLoss}`,
      head: ['Step', 'µs', 'µJ', 'File', monitor, 'Speed', 'Result'],
      rows: [
        ['as given, on test rows', ...cells(null, before), '', ''],
        ...tried,
        [
          'result, on test rows',
          ...cells(whole === null ? null : before, after),
          whole === null ? '' : speedText(whole),
          '',
        ],
      ],
      numbers: [1, 6],
      notes: [
        `µs and µJ of a prediction of ${counted(batchSize, 'row')} on this machine; joules are ${joules}${joules === 'estimated' ? ' from CPU seconds at 12 W' : ''}.`,
        `before → after: medians of the model without and with the step, timed in turn; lines are measured at different times. Speed: the ratio, and its 95 % interval.`,
        `${counted(judges, 'row')} ${judges === 1 ? 'judges' : 'judge'} the steps, ${count(tests)} ${tests === 1 ? 'other is' : 'others are'} for testing.`,
      ],
    }
  }
}

/** `14.7 → 10.9`, in millionths. */
function fromTo(from: number | undefined, to: number): string {
  return `${from === undefined ? '' : `${rounded(1e6 * from)} → `}${rounded(1e6 * to)}`
}

/** Three digits. */
const rounded = (value: number): string => count(Number(value.toPrecision(3)))
