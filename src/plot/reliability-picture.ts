// Confidence against accuracy.

import { requireArguments } from '../core/arguments'
import { readOptions } from '../core/options'
import { ArgumentError, quoted } from '../core/errors'
import type { ReliabilityDiagram } from '../explain/reliability'
import { Axes } from './drawing/axes'
import type { Drawing } from './drawing/picture'
import { HEAD, element, label, picture, pictureTable, short, type PictureOptions } from './drawing/svg'

const table = () => pictureTable('Is it right as often as it says?')
const SIDE = 320
const UNIT = { low: 0, high: 1 }

/**
 * Each stroke is the accuracy of a bin; those of a calibrated model are on the diagonal. The gap between accuracy and confidence
 * is orange; narrow bars at the bottom show the number of predictions in each bin.
 *
 *   reliabilityPicture(reliabilityDiagram(probabilities, labels))
 *
 * @returns an SVG, as text: readable on light and dark pages
 * @throws ArgumentError for values that reliabilityDiagram did not return
 */
export function reliabilityPicture(diagram: ReliabilityDiagram, options: PictureOptions = {}): string {
  requireArguments('reliabilityPicture', arguments, 2)
  return drawReliability('reliabilityPicture', diagram, options, true).svg
}

/** @param fluid whether the picture is as wide as its place in the page */
export function drawReliability(
  where: string,
  diagram: ReliabilityDiagram,
  options: PictureOptions,
  fluid = false,
): Drawing {
  const text = readOptions(where, table(), options)
  if (!Array.isArray(diagram?.bins))
    throw new ArgumentError(`${where}: needs the result of reliabilityDiagram, received ${quoted(diagram)}`)
  const { bins, expectedCalibrationError, accuracy, confidence } = diagram
  const axes = new Axes({ left: 56, top: HEAD + 4, width: SIDE, height: SIDE }, UNIT, UNIT)
  const most = Math.max(1, ...bins.map(({ count }) => count))
  const drawn = bins
    .filter(({ count }) => count > 0)
    .map((bin) => {
      const [x, width] = [axes.placeX(bin.from) + 1, axes.placeX(bin.to) - axes.placeX(bin.from) - 2]
      const [right, sure] = [axes.placeY(bin.accuracy), axes.placeY(bin.confidence)]
      const zero = axes.placeY(0)
      return [
        element('rect', 'less', { x, y: Math.max(right, sure), width, height: zero - Math.max(right, sure) }),
        element('rect', 'more', {
          x,
          y: Math.min(right, sure),
          width,
          height: Math.abs(right - sure),
          'fill-opacity': 0.55,
        }),
        element('rect', 'ink', { x, y: right - 1, width, height: 2 }),
        element('rect', 'ink', {
          x: x + width * 0.35,
          y: zero - (bin.count / most) * 40,
          width: width * 0.3,
          height: (bin.count / most) * 40,
          'fill-opacity': 0.6,
        }),
      ].join('')
    })
  const bottom = HEAD + 4 + SIDE
  const sums = `calibration error ${short(expectedCalibrationError)}, accuracy ${short(accuracy)}, confidence ${short(confidence)}`
  const body = [
    axes.draw('confidence', 'accuracy'),
    ...drawn,
    element('path', 'axis', {
      d: axes.line([
        [0, 0],
        [1, 1],
      ]),
      fill: 'none',
      'stroke-dasharray': '5 4',
    }),
    label(sums, 'soft', { x: 40 + SIDE / 2, y: bottom + 58, 'text-anchor': 'middle' }),
  ].join('')
  const content = bins
    .filter(({ count }) => count > 0)
    .map((bin) => `confidence ${short(bin.confidence)}: ${short(bin.accuracy)} right of ${bin.count}`)
    .join('; ')
  return picture({ width: SIDE + 80, height: bottom + 72, fluid }, text, `${sums}. ${content}.`, body)
}
