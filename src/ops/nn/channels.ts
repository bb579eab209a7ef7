// Applies functions of [batch, …spatial axes, channels] to images whose channels are the first axis after the batch.

import { ArgumentError } from '../../core/errors'
import { choice, nullable, unread, type Kind, type Spelled } from '../../core/options'
import { moveAxis } from '../numpy/shape'
import type { Tensor } from '../tensor'

export type DataFormat = 'channelsLast' | 'channelsFirst' | null

/** Where the channels are; null means last. */
export const dataFormat = /* @__PURE__ */ nullable(/* @__PURE__ */ choice('channelsLast', 'channelsFirst'))

/** Where the channels are, for ops whose channels are the last axis; null means last. */
export type LastFormat = Spelled<'channelsLast'> | null

export interface LastFormatOption {
  /** Must be 'channelsLast', or null, which means the same: `moveaxis(x, 1, -1)` moves channels there. Default null. */
  readonly dataFormat?: LastFormat
}

/** The kind of an argument that is only checked, because the channels are the last axis. */
export const lastFormat: Kind<LastFormat> = {
  read(value, where) {
    if (dataFormat.read(value, where) !== 'channelsFirst') return null
    throw new ArgumentError(
      `${where} must be 'channelsLast': the channels are the last axis. Move them there with moveaxis(x, 1, -1), and back with moveaxis(y, -1, 1)`,
    )
  },
  write: () => null,
}

/** `dataFormat` as an option. */
const lastFormatRows = () => ({
  /** Must be 'channelsLast' or null, its default: channels are the last axis. */
  dataFormat: unread(lastFormat, null),
})
type LastFormatRows = ReturnType<typeof lastFormatRows>
export type LastFormatTable = { [Name in keyof LastFormatRows]: LastFormatRows[Name] }
export const lastFormatTable: () => LastFormatTable = lastFormatRows

/** The result of a function of [batch, …spatial axes, channels]. */
export function withChannelsLast(x: Tensor, format: DataFormat, call: (x: Tensor) => Tensor): Tensor {
  return format === 'channelsFirst' && x.rank > 2 ? moveAxis(call(moveAxis(x, 1, -1)), -1, 1) : call(x)
}
