// What a preset takes in memory, from its settings and the shapes of its tensors: nothing is loaded.

import { requireArguments } from '../core/arguments'
import { sizeOf, type Shape } from '../core/shapes'
import { packedShape } from '../engine/primitives/packed'
import { familyOf } from './families'
import { ModelConfig } from './families/config'
import type { WeightKind } from './layers/packed-weight'
import { recordIn } from './preset'
import { openPreset, type OpenPresetOptions, type PresetSource } from './presets/open-preset'
import { openWeights } from './presets/open-weights'

/** What a preset has, before it is loaded. */
export interface PresetInfo {
  /** The `model_type` of config.json. */
  readonly modelType: string
  /** How many numbers its tensors have. */
  readonly parameters: number
  /** The bytes that the weights take in memory, by the option `weights` of `fromPreset`. */
  readonly bytes: Readonly<Record<WeightKind, number>>
}

/**
 * What the model of a preset takes in memory, with each of the kinds of weights. It reads config.json and the headers of the weights.
 *
 *   const { parameters, bytes } = await presetInfo('./SmolLM2-135M-Instruct')
 *   bytes.int4                                                             the bytes with `weights: 'int4'`
 *
 * Training and the kept keys and values of a text need memory besides.
 * @throws FormatError as `CausalLM.fromPreset` does, for a family that is not supported, and for files that are missing or damaged
 */
export async function presetInfo(source: PresetSource, options: OpenPresetOptions = {}): Promise<PresetInfo> {
  requireArguments('presetInfo', arguments, 2)
  const folder = await openPreset(source, 'presetInfo', options)
  const config = ModelConfig.of(await recordIn(folder, 'config.json'), 'config.json')
  const modelType = config.text('model_type')
  const { vocabularySize, positions, head } = familyOf(modelType, 'decoder').describe(config)
  const shapes = [...(await openWeights(folder))]
    // Some files have the matrix of the scores also where it is the table of tokens.
    .filter(([name]) => !(head?.isTied === true && /(?:^|\.)(?:lm_head|embed_out)\.weight$/.test(name)))
    .map(([, { shape }]) => shape)
    // Old files have tables of zeros and ones that hide later steps.
    .filter(({ length }) => length <= 2)
  const bitsOf = ([rows]: Shape, bits: 4 | 8): 4 | 8 | 32 => {
    if (rows === positions?.count) return 32
    return rows === vocabularySize ? 8 : bits
  }
  const sum = (of: (shape: Shape) => number): number => shapes.reduce((total, shape) => total + of(shape), 0)
  return {
    modelType,
    parameters: sum(sizeOf),
    bytes: {
      float32: sum((shape) => 4 * sizeOf(shape)),
      int8: sum((shape) => packedBytes(shape, bitsOf(shape, 8))),
      int4: sum((shape) => packedBytes(shape, bitsOf(shape, 4))),
    },
  }
}

/** The bytes of a matrix in integers; of another tensor those in float32. */
function packedBytes(shape: Shape, bits: 4 | 8 | 32): number {
  const [outputs, inputs] = shape
  if (bits === 32 || shape.length !== 2 || outputs === undefined || inputs === undefined) return 4 * sizeOf(shape)
  return sizeOf(packedShape({ outputs, inputs, bits }))
}
