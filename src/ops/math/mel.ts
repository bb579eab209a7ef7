// Filters that turn the frequencies of a spectrum into bands of the mel scale. Internal: a layer applies them.

import { ArgumentError } from '../../core/errors'
import { Tensor } from '../tensor'

/** Bounds the memory of the filters to 256 MB. */
const MOST_WEIGHTS = 2 ** 26

/** The mel scale of HTK: 1127 ln(1 + f / 700) for f in Hz. */
const melOf = (hertz: number): number => 1127 * Math.log1p(hertz / 700)

export interface MelBands {
  /** The number of bands. */
  readonly count: number
  /** The lower edge of the first band, in Hz. */
  readonly lowest: number
  /** The upper edge of the last band, in Hz. */
  readonly highest: number
}

/**
 * [frequencies, bands]: the share of each frequency in each band. The bands are triangles over the mel scale with peaks of 1; each
 * begins and ends at the peaks of its neighbours. Frequency k is k / (frequencies − 1) · samplingRate / 2; the frequency 0 is in no
 * band.
 * @param frequencies fftLength / 2 + 1
 * @param samplingRate in Hz
 *
 * Keras: `MelSpectrogram.linear_to_mel_weight_matrix`.
 */
export function melFilters(frequencies: number, samplingRate: number, { count, lowest, highest }: MelBands): Tensor {
  if (!(lowest < highest))
    throw new ArgumentError(
      `mel filters: the lowest frequency must be less than the highest, received ${lowest} and ${highest}`,
    )
  if (frequencies * count > MOST_WEIGHTS)
    throw new ArgumentError(
      `mel filters: expected at most ${MOST_WEIGHTS} weights, received ${frequencies} frequencies × ${count} bands`,
    )
  const [from, to] = [melOf(lowest), melOf(highest)]
  const edge = (i: number): number => from + ((to - from) * i) / (count + 1)
  const data = new Float32Array(frequencies * count)
  for (let k = 1; k < frequencies; k++) {
    const mel = melOf((k * samplingRate) / (2 * (frequencies - 1)))
    for (let band = 0; band < count; band++) {
      const rising = (mel - edge(band)) / (edge(band + 1) - edge(band))
      const falling = (edge(band + 2) - mel) / (edge(band + 2) - edge(band + 1))
      data[k * count + band] = Math.max(0, Math.min(rising, falling))
    }
  }
  return new Tensor(data, [frequencies, count], 'float32')
}
