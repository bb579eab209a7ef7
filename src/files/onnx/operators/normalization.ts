// Normalizations, on channels-last tensors where there are channels.

import { sizeOf } from '../../../core/shapes'
import { folded } from '../../../layers/normalization/folded'
import * as ops from '../../../ops'
import { Tensor } from '../../../ops/tensor'
import type { Call, Operator } from '../call'
import { Value, channelsLast, inOrder } from '../values'

interface Moments {
  readonly mean: Tensor
  readonly variance: Tensor
}

function moments(x: Tensor, axis: readonly number[]): Moments {
  const mean = ops.mean(x, { axis, keepDims: true })
  return { mean, variance: ops.mean(ops.square(ops.subtract(x, mean)), { axis, keepDims: true }) }
}

const inverse = (variance: Tensor, epsilon: number): Tensor => ops.rsqrt(ops.add(variance, epsilon))

/** (x − mean) / √(variance + epsilon) */
function standardized(x: Tensor, axis: readonly number[], epsilon: number): Tensor {
  const { mean, variance } = moments(x, axis)
  return ops.multiply(ops.subtract(x, mean), inverse(variance, epsilon))
}

/** The two operands from `first` on, each [channels]. */
function perChannel(call: Call, first: number, channels: number): [Tensor, Tensor] {
  const read = (i: number): Tensor => {
    const { plain, shape } = call.value(i)
    call.require(plain.size === channels, () => `operand ${i} [${shape.join(', ')}] must have ${channels} elements`)
    return ops.reshape(plain, [channels])
  }
  return [read(first), read(first + 1)]
}

/**
 * scale · (x − mean) / √(variance + epsilon) + bias. In training, mean and variance are those of the batch, and those of
 * the file move towards them.
 */
const batchNormalization: Operator = (call) => {
  const x = call.value(0)
  call.require(x.rank >= 2 && call.flag('spatial', true), () => 'it must have one mean and variance for each channel')
  const [epsilon, momentum] = [call.float('epsilon', 1e-5), call.float('momentum', 0.9)]
  const [scale, bias] = perChannel(call, 1, x.shape[1]!)
  const [mean, variance] = perChannel(call, 3, x.shape[1]!)
  const isTraining = call.around.training || (call.opset >= 14 && call.flag('training_mode'))
  const { last } = x
  const made = (y: Tensor): Value => Value.of(y, x.type, channelsLast(x.rank))
  if (!isTraining) {
    const factor = ops.multiply(scale, inverse(variance, epsilon))
    const shift = ops.subtract(bias, ops.multiply(mean, factor))
    return made(folded(last, factor, shift) ?? ops.add(ops.multiply(last, factor), shift))
  }
  const batch = moments(last, inOrder(x.rank - 1))
  const moved = ([old, now]: readonly [Tensor, Tensor]): Tensor =>
    ops.add(ops.multiply(old, momentum), ops.multiply(ops.reshape(now, [old.size]), 1 - momentum))
  const averages = (
    [
      [mean, batch.mean],
      [variance, batch.variance],
    ] as const
  ).map(moved)
  if (call.around.training) averages.forEach((each, i) => call.around.update(call.node.inputs[3 + i]!, each))
  const y = ops.multiply(ops.subtract(last, batch.mean), ops.multiply(inverse(batch.variance, epsilon), scale))
  return [made(ops.add(y, bias)), ...averages.map((each) => Value.of(each, x.type))]
}

const instanceNormalization: Operator = (call) => {
  const x = call.value(0)
  call.require(x.rank >= 3, () => `[${x.shape.join(', ')}] has no spatial axes`)
  const [scale, bias] = perChannel(call, 1, x.shape[1]!)
  const axes = inOrder(x.rank - 2).map((axis) => axis + 1)
  const y = standardized(x.last, axes, call.float('epsilon', 1e-5))
  return Value.of(ops.add(ops.multiply(y, scale), bias), x.type, channelsLast(x.rank))
}

/** Before version 21, scale and bias have an element for each group. */
const groupNormalization: Operator = (call) => {
  const x = call.value(0)
  const groups = call.integer('num_groups', 0)
  const channels = x.shape[1] ?? 0
  call.require(
    x.rank >= 2 && groups >= 1 && channels % groups === 0,
    () => `${channels} channels have no ${groups} groups`,
  )
  const width = channels / groups
  const { last } = x
  const apart = ops.reshape(last, [x.shape[0]!, sizeOf(x.shape.slice(2)), groups, width])
  const y = standardized(apart, [1, 3], call.float('epsilon', 1e-5))
  const isPerGroup = call.opset < 21
  const [scale, bias] = perChannel(call, 1, isPerGroup ? groups : channels)
  const wide = (weight: Tensor): Tensor => ops.reshape(weight, isPerGroup ? [groups, 1] : [groups, width])
  const scaled = ops.add(ops.multiply(y, wide(scale)), wide(bias))
  return Value.of(ops.reshape(scaled, last.shape), x.type, channelsLast(x.rank))
}

/** Over the axes from `axis` on. Returns also the mean and the inverse of the deviation. */
const layerNormalization: Operator = (call) => {
  const x = call.value(0)
  const first = call.axis(call.integer('axis', -1), x.rank)
  const axes = inOrder(x.rank).filter((axis) => axis >= first)
  const { plain } = x
  const { mean, variance } = moments(plain, axes)
  const scale = inverse(variance, call.float('epsilon', 1e-5))
  const y = ops.multiply(ops.multiply(ops.subtract(plain, mean), scale), call.value(1).plain)
  const bias = call.maybe(2)
  const all = [bias === null ? y : ops.add(y, bias.plain), mean, scale]
  return all.map((each) => Value.of(each, x.type))
}

const rmsNormalization: Operator = (call) => {
  const x = call.value(0)
  const first = call.axis(call.integer('axis', -1), x.rank)
  const axis = inOrder(x.rank).filter((each) => each >= first)
  const { plain } = x
  const scale = inverse(ops.mean(ops.square(plain), { axis, keepDims: true }), call.float('epsilon', 1e-5))
  return Value.of(ops.multiply(ops.multiply(plain, scale), call.value(1).plain), x.type)
}

const meanVarianceNormalization: Operator = (call) => {
  const x = call.value(0)
  const axes = call.axes(call.integers('axes') ?? [0, 2, 3], x.rank).map((axis) => x.order.indexOf(axis))
  const { mean, variance } = moments(x.asIs, axes)
  const y = ops.divide(ops.subtract(x.asIs, mean), ops.add(ops.sqrt(variance), 1e-9))
  return Value.of(y, x.type, x.order)
}

const lpNormalization: Operator = (call) => {
  const x = call.value(0)
  const p = call.integer('p', 2)
  call.require(p === 1 || p === 2, () => `p must be 1 or 2, it is ${p}`)
  const axis = x.order.indexOf(call.axis(call.integer('axis', -1), x.rank))
  const total = ops.sum(p === 1 ? ops.abs(x.asIs) : ops.square(x.asIs), { axis, keepDims: true })
  const norm = p === 1 ? total : ops.sqrt(total)
  return Value.of(ops.divide(x.asIs, norm), x.type, x.order)
}

/** x / (bias + alpha / size · Σ x² over neighbouring channels) ^ beta */
const localResponse: Operator = (call) => {
  const x = call.value(0)
  call.require(x.rank >= 3, () => `[${x.shape.join(', ')}] has no spatial axes`)
  const size = call.integer('size', 1)
  const channels = x.shape[1]!
  call.require(channels <= 2048 && size >= 1, () => `${channels} channels in windows of ${size} are not supported`)
  const [below, above] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)]
  const band = Float32Array.from({ length: channels * channels }, (_, at) => {
    const [from, to] = [Math.floor(at / channels), at % channels]
    return Number(from >= to - below && from <= to + above)
  })
  const sums = ops.matmul(ops.square(x.last), new Tensor(band, [channels, channels], 'float32'))
  const base = ops.add(ops.multiply(sums, call.float('alpha', 1e-4) / size), call.float('bias', 1))
  return Value.of(ops.divide(x.last, ops.power(base, call.float('beta', 0.75))), x.type, channelsLast(x.rank))
}

export const normalizationOperators: Readonly<Record<string, Operator>> = {
  BatchNormalization: batchNormalization,
  GroupNormalization: groupNormalization,
  InstanceNormalization: instanceNormalization,
  LRN: localResponse,
  LayerNormalization: layerNormalization,
  LpNormalization: lpNormalization,
  MeanVarianceNormalization: meanVarianceNormalization,
  RMSNormalization: rmsNormalization,
}
