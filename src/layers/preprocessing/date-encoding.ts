// DateEncoding: dates as numbers that models can use.

import { timeIn } from '../../core/dates'
import { DataError, quoted } from '../../core/errors'
import { boolean, configured, option } from '../../core/options'
import { cos, divide, equal, multiply, sin, where } from '../../ops/numpy/elementwise'
import { concatenate } from '../../ops/numpy/shape'
import { sliceAlong } from '../../ops/numpy/along'
import type { StringTensor } from '../../ops/strings'
import { Tensor } from '../../ops/tensor'
import type { BatchShape } from '../spec'
import { StringLayer } from './string-layer'
import type { LayerTraits } from '../traits'

const DAY = 86_400_000
/** The numbers that readStrings gives for a date. */
const PARTS = 4
const DAYS_OF_YEAR = 365.2425

const DateEncodingBase = configured(
  StringLayer,
  () => ({
    /** Whether the time of the day is encoded. Default false. */
    time: option(boolean, false),
  }),
  ['time'],
)

/**
 * Dates as strings, [batch, 1] → float32 [batch, 5]:
 *
 *   years since 1970, sin and cos of 2π · the part of the year, sin and cos of 2π · the part of the week
 *
 * With `time`, also sin and cos of 2π · the part of the day: [batch, 7]. Weeks start on Thursday, as 1970 did. All
 * numbers are NaN for an empty string, a missing date.
 *
 *   new DateEncoding().apply(['1970-01-01'])   // [[0, 0, 1, 0, 1]]
 *
 * Dates are `2024-05-31`, or with a time `2024-05-31T18:30:00Z`; without a time zone it is UTC. Keras has no such layer.
 * @throws DataError for a string that is not a date
 */
export class DateEncoding extends DateEncodingBase {
  static readonly className = 'DateEncoding'
  /** @internal */
  static override readonly traits: LayerTraits<DateEncoding> = {
    form: { takesOne: true, onlyHere: 'Keras has no layer that encodes dates' },
  }

  /** Days since 1970, the day of the week, milliseconds of the day, and whether there is a date. */
  readStrings({ strings }: StringTensor): Tensor {
    const numbers = new Int32Array(strings.length * PARTS)
    strings.forEach((each, i) => {
      if (each === '') return
      const time = timeIn(each)
      if (time === null)
        throw new DataError(
          `${this}: expected a date such as 2024-05-31 or 2024-05-31T18:30:00Z, received ${quoted(each)}`,
        )
      const day = Math.floor(time / DAY)
      numbers.set([day, day - 7 * Math.floor(day / 7), time - day * DAY, 1], PARTS * i)
    })
    return new Tensor(numbers, [strings.length, PARTS], 'int32')
  }

  /** @internal */
  readShape([batch = null]: BatchShape): BatchShape {
    return [batch, PARTS]
  }

  protected encode(numbers: Tensor): Tensor {
    const part = (at: number): Tensor => sliceAlong(numbers, 1, at, 1)
    const [day, weekday, time, isThere] = [part(0), part(1), part(2), part(3)]
    const years = divide(day, DAYS_OF_YEAR)
    const circle = (turns: Tensor): Tensor[] => {
      const angle = multiply(turns, 2 * Math.PI)
      return [sin(angle), cos(angle)]
    }
    const parts = [
      years,
      ...circle(years),
      ...circle(divide(weekday, 7)),
      ...(this.time ? circle(divide(time, DAY)) : []),
    ]
    return where(equal(isThere, 1), concatenate(parts, 1), NaN)
  }

  override computeOutputShape([batch = null]: BatchShape): BatchShape {
    return [batch, this.time ? 7 : 5]
  }
}
