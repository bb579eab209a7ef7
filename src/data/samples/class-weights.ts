// Class weights: multiplies the weight of each sample by the weight of its class.

import { ArgumentError, formatShape, quoted } from '../../core/errors'
import { isBranch } from '../../core/tree'
import { Tensor } from '../../ops/tensor'
import type { ClassWeight, ClassWeights } from './data-types'
import { perOutput } from './per-output'
import type { Samples } from './samples'

/** Multiplies each sample's weight by the weight of its class; a class without a weight has weight 1. */
export function weighClasses(samples: Samples, classWeight: ClassWeights, outputs: readonly string[]): Samples {
  const { targets, size, weights } = samples
  const each = classWeightsOf(classWeight, targets.length, outputs)
  return {
    ...samples,
    weights: weights.map((weight, i) =>
      each[i] == null
        ? weight
        : weighed(targets[i] ?? null, weight, size, each[i], targets.length === 1 ? '' : ` of '${outputs[i] ?? i}'`),
    ),
  }
}

/** The class weights of each output, from a list or a record. */
function classWeightsOf(
  classWeight: ClassWeights,
  count: number,
  outputs: readonly string[],
): readonly (ClassWeight | null | undefined)[] {
  if (arePerOutput(classWeight)) return perOutput('classWeight', classWeight, outputs)
  if (count === 1) return [classWeight]
  throw new ArgumentError(
    `classWeight: there are ${count} outputs. Give a record of class weights by output: { ${outputs.join(', ')} }`,
  )
}

function arePerOutput(classWeight: ClassWeights): classWeight is Exclude<ClassWeights, ClassWeight> {
  const entries = Object.values<unknown>(classWeight)
  return entries.length > 0 && entries.every((each) => each === null || typeof each === 'object')
}

function weighed(
  target: Tensor | null,
  weight: Tensor | null,
  size: number,
  classWeight: ClassWeight,
  which: string,
): Tensor {
  if (target === null) throw new ArgumentError(`classWeight: the output${which} has no targets`)
  if (target.rank > 2) {
    throw new ArgumentError(
      `classWeight${which} is for targets with one class per sample, received ${formatShape(target.shape)}. Give sampleWeight instead.`,
    )
  }
  if (!isBranch(classWeight))
    throw new ArgumentError(
      `classWeight${which} must be weights by class numbers, such as { 0: 1, 1: 3 }, received ${quoted(classWeight)}`,
    )
  for (const [label, factor] of Object.entries(classWeight)) {
    if (!Number.isInteger(Number(label)))
      throw new ArgumentError(`classWeight${which} must be weights by class numbers, received '${label}'`)
    if (!(Number.isFinite(factor) && factor >= 0))
      throw new ArgumentError(
        `classWeight${which}: the weight of class ${label} must be a finite number ≥ 0, received ${quoted(factor)}`,
      )
  }
  requireClasses(target, size, which)
  const before = weight ?? new Tensor(new Float32Array(size).fill(1), [size], 'float32')
  const steps = before.size / size
  const ofRow = Float32Array.from(classNumbers(target, size), (label) => classWeight[label] ?? 1)
  return new Tensor(
    Float32Array.from(before.data, (each, i) => each * ofRow[Math.floor(i / steps)]!),
    before.shape,
    'float32',
  )
}

/**
 * Targets with one number are class numbers, or probabilities between 0 and 1. @throws ArgumentError for other targets,
 * such as those of a regression
 */
function requireClasses({ data }: Tensor, size: number, which: string): void {
  if (data.length !== size) return
  const row = data.findIndex((x) => !Number.isInteger(x) && !(x > 0 && x < 1))
  if (row >= 0)
    throw new ArgumentError(
      `classWeight${which} is for targets that are class numbers, received ${data[row]} in row ${row}. Give sampleWeight instead.`,
    )
}

/** One number per row: the rounded target, or the position of the maximum in a one-hot row. */
export function classNumbers(y: Tensor, size: number): number[] {
  const width = y.size / size
  return Array.from({ length: size }, (_, row) => {
    if (width === 1) return Math.round(y.data[row]!)
    let best = 0
    for (let i = 1; i < width; i++) if (y.data[row * width + i]! > y.data[row * width + best]!) best = i
    return best
  })
}
