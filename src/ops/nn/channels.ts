// Where the channels of images are: functions of [batch, …spatial axes, channels] also for [batch, channels, …spatial axes].

import { ArgumentError } from '../../core/errors'
import type { Kind, Spelled } from '../../core/options'
import { choice, nullable, option, unread } from '../../core/options'
import { readArguments } from '../arguments'
import { moveAxis } from '../numpy/shape'
import type { Tensor } from '../tensor'

export type DataFormat = 'channelsLast' | 'channelsFirst' | null

/** Where the channels are; null means last. */
export const dataFormat = /* @__PURE__ */ nullable(/* @__PURE__ */ choice('channelsLast', 'channelsFirst'))

export interface DataFormatOption {
  /** Where the channels are: 'channelsLast' or 'channelsFirst'; null means last. Default null. */
  readonly dataFormat?: DataFormat
}

/** `depthToSpace(x, 2, 'channelsFirst')` or `depthToSpace(x, 2, { dataFormat: 'channelsFirst' })`. */
export function readDataFormat(where: string, given: DataFormat | DataFormatOption | undefined): DataFormat {
  return readArguments(where, { dataFormat: option(dataFormat, null) }, given).dataFormat
}

/** Where the channels are, for ops whose channels are the last axis; null means last. */
export type LastFormat = Spelled<'channelsLast'> | null

export interface LastFormatOption {
  /** Must be 'channelsLast', or null, which means the same: `moveaxis(x, 1, -1)` moves channels there. Default null. */
  readonly dataFormat?: LastFormat
}

const lastFormat: Kind<DataFormat, LastFormat> = {
  read(value, where) {
    if (dataFormat.read(value, where) !== 'channelsFirst') return null
    throw new ArgumentError(
      `${where} must be 'channelsLast': the channels are the last axis. Move them there with moveaxis(x, 1, -1), and back with moveaxis(y, -1, 1)`,
    )
  },
  write: () => null,
}

/** The option of ops whose channels are the last axis. */
export const lastFormatTable = () => ({
  /** Must be 'channelsLast' or null, its default: channels are the last axis. */
  dataFormat: unread(lastFormat, null),
})

/** Checks that option of an op without others. */
export function requireLastFormat(where: string, given: LastFormat | LastFormatOption | undefined): void {
  readArguments(where, lastFormatTable(), given)
}

/** The result of a function of [batch, …spatial axes, channels]. */
export function withChannelsLast(x: Tensor, format: DataFormat, call: (x: Tensor) => Tensor): Tensor {
  return format === 'channelsFirst' && x.rank > 2 ? moveAxis(call(moveAxis(x, 1, -1)), -1, 1) : call(x)
}
