// Where the channels of images are: functions of [batch, …spatial axes, channels] also for [batch, channels, …spatial axes].

import { choice, nullable } from '../../core/options'
import { moveAxis } from '../numpy/shape'
import type { Tensor } from '../tensor'

export type DataFormat = 'channelsLast' | 'channelsFirst' | null

/** Where the channels are; null means last. */
export const dataFormat = /* @__PURE__ */ nullable(/* @__PURE__ */ choice('channelsLast', 'channelsFirst'))

/** The result of a function of [batch, …spatial axes, channels]. */
export function withChannelsLast(x: Tensor, format: DataFormat, call: (x: Tensor) => Tensor): Tensor {
  return format === 'channelsFirst' && x.rank > 2 ? moveAxis(call(moveAxis(x, 1, -1)), -1, 1) : call(x)
}
