// energyLabel: how good a model is and what it costs, on one card. label-figures.ts measures.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import {
  abortSignal,
  anything,
  count as positive,
  integer,
  listOf,
  nullable,
  number,
  option,
  readOptions,
  required,
} from '../core/options'
import { count, formatBytes } from '../core/table'
import { asciiXml } from '../core/text'
import type { TargetsOf } from '../data/samples/data-types'
import { Model } from '../models/model'
import type { RowsFor } from '../tables/model-rows'
import type { Figure, Footprint } from '../thrift/figures'
import { contributionBars } from './attribution-bars'
import { largest, sayContributions } from './contributions'
import { labelFigures, type LabelFigures } from './label-figures'
import { Picture, type Drawing } from './drawing/picture'
import {
  HEAD,
  coordinate,
  element,
  escaped,
  label,
  picture,
  pictureTable,
  short,
  words,
  type PictureOptions,
} from './drawing/svg'

/** What `fit` returns with an EmissionsTracker, or the footprint of one. */
type TrainingLike = Footprint | { readonly reports: { readonly footprint?: Footprint } }

export interface EnergyLabelOptions<In = unknown, Out = unknown> extends PictureOptions {
  /**
   * Rows that the model was not trained on, or batches of them with their targets, as for `evaluate`. Batches are read once, and
   * all rows are kept in memory.
   */
  readonly x: RowsFor<In, Out>
  /** The targets, unless they are in the batches. Default null. */
  readonly y?: TargetsOf<Out> | null
  /** The history that `fit` returned with an EmissionsTracker, or its footprint. Default null: the label has no joules of training. */
  readonly training?: TrainingLike | null
  /** The names of the features of x [rows, features]; with them, the label shows their contributions to an answer. Default null. */
  readonly names?: readonly string[] | null
  /** The row whose answer is explained. Default 0. */
  readonly row?: number
  /** The number of rows of the predictions that are timed. Default 1. */
  readonly batchSize?: number
  /** The seconds for which predictions are timed. Default 0.3. */
  readonly seconds?: number
  /** Aborts between two predictions; the promise then rejects with the signal's reason. Default null. */
  readonly signal?: AbortSignal | null
}

const table = () =>
  merged(pictureTable(''), {
    x: required(anything),
    y: option(anything, null),
    training: option(anything, null),
    names: option(nullable(listOf(words)), null),
    row: option(integer({ min: 0 }), 0),
    batchSize: option(positive, 1),
    seconds: option(number({ above: 0 }), 0.3),
    signal: option(nullable(abortSignal), null),
  })

/** An energy label: a picture, with its figures as data and as a part of a page. */
export class EnergyLabel extends Picture {
  constructor(
    drawing: Drawing,
    /** Plain data. */
    readonly figures: LabelFigures,
  ) {
    super(drawing)
  }

  /**
   * A part of a page: the picture, and a table of all figures with their sources. In ASCII; it follows the color-scheme of the
   * element around it.
   */
  toHTML(): string {
    const rows = sourcesOf(this.figures).map(
      (row) =>
        `<tr>${row.map((cell, i) => (i === 0 ? `<th scope="row">${escaped(cell)}</th>` : `<td>${escaped(cell)}</td>`)).join('')}</tr>`,
    )
    const head = ['figure', 'value', 'how', 'from'].map((name) => `<th scope="col">${name}</th>`).join('')
    return asciiXml(
      `<figure class="myelin-label" style="margin:0;max-width:${WIDTH}px">${this.svg}<figcaption><details><summary>All figures and their sources</summary><table style="font:12px system-ui,sans-serif;text-align:left"><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></details></figcaption></figure>`,
    )
  }
}

/**
 * A label that shows how good a model is and what it costs: accuracy with its 95 % interval (Wilson), calibration error, joules per
 * answer and of training, the size of its file, the number of hidden units that are not dead, and the contributions to one answer
 * (Shapley values relative to other rows). Each number is marked as measured or estimated. For a model that is not a classifier, its
 * first metric, or its loss, replaces the accuracy.
 *
 *   const history = await model.fit(x, y, { epochs: 20, callbacks: [new EmissionsTracker()] })
 *   const label = await energyLabel(model, { x: xTest, y: yTest, training: history, names: columns })
 *   await label.save('label.svg')
 *   label.figures.quality.interval // [0.81, 0.94]
 *   label.toHTML()                 // a part of a page
 *
 * @throws ArgumentError for a value that is not a model, a history without a footprint, and names that do not fit; StateError for
 *   a model that is neither a classifier nor compiled; DataError for data that do not fit
 *
 * Wilson 1927, "Probable inference, the law of succession, and statistical inference".
 */
export async function energyLabel<In, Out>(
  model: Model<In, Out>,
  options: EnergyLabelOptions<In, Out>,
): Promise<EnergyLabel> {
  requireArguments('energyLabel', arguments, 2)
  if (!(model instanceof Model)) throw new ArgumentError(`energyLabel: needs a model, received ${quoted(model)}`)
  const { title, description, training, ...request } = readOptions('energyLabel', table(), options)
  const figures = await labelFigures(model, { ...request, training: footprintOf(training) })
  const head = title === '' ? `Energy label: ${figures.model}` : title
  return new EnergyLabel(draw(figures, { title: head, description }), figures)
}

function footprintOf(training: unknown): Footprint | null {
  if (training === null) return null
  const footprint = propertyIn(propertyIn(training, 'reports'), 'footprint') ?? training
  if (isFootprint(footprint)) return footprint
  throw new ArgumentError(
    `energyLabel: training needs what fit returns with callbacks: [new EmissionsTracker()], or a footprint, received ${quoted(training)}`,
  )
}

/** A property of an object; undefined for other values. */
function propertyIn(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function isFootprint(value: unknown): value is Footprint {
  return typeof value === 'object' && value !== null && 'joules' in value && 'seconds' in value
}

/** In units that leave one to three digits before the point: 5.1e-6 J → `5.1 µJ`. */
function inUnits(value: number, unit: string): string {
  if (value === 0) return `0 ${unit}`
  const PREFIXES = ['p', 'n', 'µ', 'm', '', 'k', 'M', 'G']
  const at = Math.min(7, Math.max(0, Math.floor(Math.log10(value) / 3 + 1e-12) + 4))
  return `${Number((value / 1000 ** (at - 4)).toPrecision(3))} ${PREFIXES[at]!}${unit}`
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
const valueOf = ({ quality: { interval, value } }: LabelFigures): string =>
  interval === null ? short(value) : percent(value)
const estimate = ({ how }: Figure): string => (how === 'measured' ? 'measured: RAPL' : 'estimated: CPU seconds × 12 W')
const onRows = (rows: number): string => `on ${count(rows)} row${rows === 1 ? '' : 's'}`

/** Rows of a table: figure, value, how, from. */
function sourcesOf(figures: LabelFigures): string[][] {
  const { quality, calibrationError, answer, training, bytes, parameters, units, why, rows } = figures
  const figureRow = (name: string, { value, unit, how, from }: Figure): string[] => [
    name,
    inUnits(value, unit),
    how,
    from,
  ]
  return [
    [quality.name, valueOf(figures), 'measured', onRows(rows)],
    ...(quality.interval === null
      ? []
      : [['95 % interval', quality.interval.map(percent).join(' … '), 'estimated', 'Wilson 1927']]),
    ...(calibrationError === null
      ? []
      : [['calibration error', percent(calibrationError), 'measured', '15 bins of confidence']]),
    figureRow('joules of an answer', answer.joules),
    figureRow('seconds of an answer', answer.seconds),
    ...(training === null
      ? []
      : [figureRow('joules of training', training.joules), figureRow('seconds of training', training.seconds)]),
    ['file', formatBytes(bytes), 'measured', 'without the optimizer'],
    ['parameters', count(parameters), 'measured', 'the weights of the model'],
    ...(units === null
      ? []
      : [['living units', `${units.all - units.dead} of ${units.all}`, 'measured', onRows(rows)]]),
    ...(why?.contributions ?? []).map(({ name, value }) => [
      `contribution of ${name}`,
      short(value),
      'estimated',
      `Shapley values of row ${why!.row}`,
    ]),
  ]
}

const WIDTH = 520
const [MARGIN, GAP, CARD] = [16, 12, 108]
const CARD_WIDTH = (WIDTH - 2 * MARGIN - GAP) / 2
const PADDING = 14
const MOST_BARS = 5

interface Card {
  readonly caption: string
  readonly value: string
  readonly notes: readonly string[]
  /** Drawn above the lower edge of the card, from 0 to 1. */
  readonly gauge?: { readonly from: number; readonly to: number; readonly mark?: number }
}

function cardsOf(figures: LabelFigures): readonly Card[] {
  const { quality, calibrationError, answer, training, bytes, parameters, units, rows } = figures
  const { interval } = quality
  const answers = training === null ? 0 : training.joules.value / answer.joules.value
  return [
    {
      caption: `${quality.name}, ${onRows(rows)}`,
      value: valueOf(figures),
      notes:
        interval === null ? [] : [`${interval.map((each) => (100 * each).toFixed(1)).join(' … ')} % (95 % interval)`],
      ...(interval === null ? {} : { gauge: { from: interval[0], to: interval[1], mark: quality.value } }),
    },
    {
      caption: 'calibration error',
      value: calibrationError === null ? '–' : percent(calibrationError),
      notes: [calibrationError === null ? 'no probabilities' : 'of its confidence; 0 is perfect'],
      ...(calibrationError === null ? {} : { gauge: { from: 0, to: calibrationError } }),
    },
    {
      caption: 'energy of an answer',
      value: inUnits(answer.joules.value, 'J'),
      notes: [
        estimate(answer.joules),
        `${inUnits(answer.seconds.value, 's')}, ${answer.batchSize === 1 ? 'one at a time' : `${count(answer.batchSize)} at a time`}`,
      ],
    },
    {
      caption: 'energy of training',
      value: training === null ? '–' : inUnits(training.joules.value, 'J'),
      notes:
        training === null
          ? ['not tracked']
          : [estimate(training.joules), `as much as ${count(Number(answers.toPrecision(2)))} answers`],
    },
    {
      caption: 'size of the file',
      value: formatBytes(bytes),
      notes: [`${count(parameters)} parameters`],
    },
    {
      caption: 'living units',
      value: units === null ? '–' : `${count(units.all - units.dead)} of ${count(units.all)}`,
      notes: [noteOfUnits(units)],
      ...(units === null ? {} : { gauge: { from: 0, to: 1 - units.dead / units.all } }),
    },
  ]
}

function noteOfUnits(units: LabelFigures['units']): string {
  if (units === null) return 'no units that can be measured'
  if (units.dead === 0) return 'no unit is 0 for every row'
  const [are, them] = units.dead === 1 ? ['is', 'it'] : ['are', 'them']
  return `${count(units.dead)} ${are} 0 for every row: prune ${them}`
}

function drawCard({ caption, value, notes, gauge }: Card, i: number): string {
  const [x, y] = [MARGIN + (i % 2) * (CARD_WIDTH + GAP), HEAD + 8 + Math.floor(i / 2) * (CARD + GAP)]
  const left = x + PADDING
  const room = CARD_WIDTH - 2 * PADDING
  const at = y + CARD - 14
  return [
    element('rect', 'card', { x, y, width: CARD_WIDTH, height: CARD, rx: 8 }),
    label(caption, 'soft', { x: left, y: y + 23 }, 34),
    label(value, 'ink', { x: left, y: y + 53, 'font-size': 25, 'font-weight': 600 }, 16),
    ...notes.map((note, line) => label(note, 'soft', { x: left, y: y + 74 + 16 * line, 'font-size': 11 }, 40)),
    ...(gauge === undefined
      ? []
      : [
          element('path', 'line', {
            d: `M${coordinate(left)} ${at}h${room}`,
            'stroke-width': 6,
            'stroke-linecap': 'round',
            fill: 'none',
          }),
          element('rect', 'less', {
            x: left - 3 + gauge.from * room,
            y: at - 3,
            width: (gauge.to - gauge.from) * room + 6,
            height: 6,
            rx: 3,
            'fill-opacity': gauge.mark === undefined ? 1 : 0.55,
          }),
          ...(gauge.mark === undefined
            ? []
            : [
                element('rect', 'ink', { x: left + gauge.mark * room - 1.5, y: at - 7, width: 3, height: 14, rx: 1.5 }),
              ]),
        ]),
  ].join('')
}

function draw(figures: LabelFigures, text: { readonly title: string; readonly description: string | null }): Drawing {
  const cards = cardsOf(figures)
  const { why } = figures
  const below = HEAD + 8 + Math.ceil(cards.length / 2) * (CARD + GAP)
  const bars = why === null ? [] : largest(why.contributions, MOST_BARS)
  const drawn = why === null ? null : contributionBars(bars, { left: 0, top: below + 36, width: WIDTH })
  const explained =
    why === null ? '' : `What speaks for the answer ${short(why.answer)} to row ${why.row}, and against it`
  const body = [
    ...cards.map(drawCard),
    ...(drawn === null
      ? []
      : [
          label(explained, 'ink', { x: MARGIN, y: below + 14, 'font-weight': 600 }, 64),
          drawn.svg,
          label(`relative to the average answer ${short(why!.average)}`, 'soft', {
            x: MARGIN,
            y: drawn.bottom + 16,
            'font-size': 11,
          }),
        ]),
  ].join('')
  const content = [
    ...cards.map(({ caption, value, notes }) => `${caption}: ${value} (${notes.join('; ')})`),
    ...(why === null ? [] : [`${explained}: ${sayContributions(bars)}`]),
  ]
  return picture(
    { width: WIDTH, height: drawn === null ? below + 4 : drawn.bottom + 28 },
    text,
    `${content.join('. ')}.`,
    body,
  )
}
