// From rows of light, blue and red differences to rows of red, green and blue (T.871). Reads no file: see jpeg.ts.

import type { SampleRows } from './jpeg-samples'
import type { PixelRows } from './pixel-rows'

/** Writes the row y, three bytes for each pixel. */
type WriteColours = (
  light: SampleRows,
  blue: SampleRows,
  red: SampleRows,
  y: number,
  colours: Uint8ClampedArray,
) => void

/** Rows that are red, green and blue already. */
export const copyColours: WriteColours = (...[red, green, blue, y, colours]) => {
  ;[red, green, blue].forEach(({ data, begin }, channel) => {
    const start = begin(y)
    for (let x = 0, at = channel; at < colours.length; x++, at += 3) colours[at] = data[start + x]!
  })
}

/** YCbCr → red, green, blue. */
export const mixColours: WriteColours = (light, blue, red, y, colours) => {
  const [lights, blues, reds] = [light.data, blue.data, red.data]
  let [l, b, r] = [light.begin(y), blue.begin(y), red.begin(y)]
  for (let at = 0; at < colours.length; at += 3) {
    const own = lights[l++]!
    const ofBlue = blues[b++]!
    const ofRed = reds[r++]!
    colours[at] = redOf(own, ofRed)
    colours[at + 1] = greenOf(own, ofBlue, ofRed)
    colours[at + 2] = blueOf(own, ofBlue)
  }
}

/** As `PixelRows.colours`: the numbers of `mixColours`, without the bytes between. */
export function colourWriter(light: SampleRows, blue: SampleRows, red: SampleRows): NonNullable<PixelRows['colours']> {
  return (levels, columns) => {
    const clamped = clampedLevels(levels)
    return (y, into, at) => {
      const [l, b, r] = [light.begin(y), blue.begin(y), red.begin(y)]
      writeColours(light.data, l, blue.data, b, red.data, r, columns, clamped, into, at)
    }
  }
}

function writeColours(
  lights: Uint8Array,
  l: number,
  blues: Uint8Array,
  b: number,
  reds: Uint8Array,
  r: number,
  columns: Int32Array,
  clamped: Float32Array,
  into: Float32Array,
  start: number,
): void {
  for (let i = 0, at = start; i < columns.length; i++, at += 3) {
    const x = columns[i]!
    const light = lights[l + x]!
    const blue = blues[b + x]!
    const red = reds[r + x]!
    into[at] = clamped[256 + redOf(light, red)]!
    into[at + 1] = clamped[256 + greenOf(light, blue, red)]!
    into[at + 2] = clamped[256 + blueOf(light, blue)]!
  }
}

let known: { readonly levels: Float32Array; readonly clamped: Float32Array } | null = null

/** The numbers of samples from −256 to 511, which are beyond 0 to 255 those of 0 and 255. */
function clampedLevels(levels: Float32Array): Float32Array {
  if (known?.levels === levels) return known.clamped
  const clamped = Float32Array.from({ length: 3 * 256 }, (_, i) => levels[Math.max(0, Math.min(255, i - 256))]!)
  known = { levels, clamped }
  return clamped
}

// Colours in float64 are y + 1.402 r, y − 0.344136286 b − 0.714136286 r and y + 1.772 b, where r and b are from −128 to 127, and halves
// become even. The same in integers, which takes half of the time; a test compares all 2²⁴ colours.

const bytes = (of: (sample: number) => number): Int32Array => Int32Array.from({ length: 256 }, (_, i) => of(i - 128))

const RED = /* @__PURE__ */ bytes((red) => Math.round(1.402 * red))

/** No half is among the sums. */
function redOf(light: number, red: number): number {
  return light + RED[red]!
}

/** For even and for odd light: 1.772 · ±125 is a half. */
const BLUE = /* @__PURE__ */ Int32Array.from({ length: 512 }, (_, i) => {
  const light = i >> 8
  const sum = light + 1.772 * ((i & 255) - 128)
  const below = Math.floor(sum)
  return (sum - below === 0.5 ? below + (below & 1) : Math.round(sum)) - light
})

function blueOf(light: number, blue: number): number {
  return light + BLUE[((light & 1) << 8) | blue]!
}

const GREEN_OF_BLUE = /* @__PURE__ */ bytes((blue) => Math.round(-0.344136286 * blue * 65536))
const GREEN_OF_RED = /* @__PURE__ */ bytes((red) => Math.round(-0.714136286 * red * 65536) + 32768)

function greenOf(light: number, blue: number, red: number): number {
  // ±50 and ∓50 give halves, or numbers that float64 rounds to them.
  if (blue + red === 256 && (blue === 78 || red === 78))
    return nearestEven(light - 0.344136286 * (blue - 128) - 0.714136286 * (red - 128))
  return light + ((GREEN_OF_BLUE[blue]! + GREEN_OF_RED[red]!) >> 16)
}

/** The sum with 1.5 · 2⁵² has no digits after the point. */
const nearestEven = (x: number): number => x + 6755399441055744 - 6755399441055744
