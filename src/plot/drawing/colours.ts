// The colours of pictures on light and on dark paper, and the rules of CSS that choose between them.

/**
 * By class: the property that is coloured, on light and on dark paper. The first colour is an attribute too, for tools
 * without CSS.
 */
export const COLOURS = {
  paper: ['fill', '#ffffff', '#14171c'],
  ink: ['fill', '#1f2328', '#e6edf3'],
  soft: ['fill', '#59636e', '#9aa4af'],
  line: ['stroke', '#c8d1da', '#39414b'],
  axis: ['stroke', '#59636e', '#9aa4af'],
  more: ['fill', '#c2410c', '#ff8a4c'],
  less: ['fill', '#1d5fbf', '#6ea8ff'],
  one: ['stroke', '#59636e', '#9aa4af'],
  mean: ['stroke', '#1d5fbf', '#6ea8ff'],
  // The edges of points, which separate points that overlap.
  edge: ['stroke', '#ffffff', '#14171c'],
  card: ['fill', '#f3f5f8', '#20252c'],
} as const satisfies Record<string, readonly ['fill' | 'stroke', string, string]>

/**
 * The colours of series and classes, in order, for white and for dark paper: each has a contrast of at least 3:1. The first
 * four differ for all kinds of colour blindness; the hues are those of Okabe & Ito 2008.
 */
export const SERIES = [
  ['#005a9c', '#3f9fe6'],
  ['#d45500', '#ff8c42'],
  ['#009e73', '#6ee7a8'],
  ['#8e2f6b', '#f4a6d4'],
  ['#6b5200', '#f7e26b'],
  ['#5a4fcf', '#a49bff'],
  ['#767d85', '#b4bcc4'],
  ['#a01c2c', '#ff7b80'],
] as const

/** From the colour of `less` to that of `more`, as fills: `blend0` … `blend4`. */
export const BLENDS = 5

type NamedColour = keyof typeof COLOURS
export type Colour = NamedColour | `line${number}` | `fill${number}` | `blend${number}`

const isNamed = (name: string): name is NamedColour => Object.hasOwn(COLOURS, name)

/** Whether the name of a class is that of a colour. */
export const isColour = (name: string): name is Colour => isNamed(name) || /^(?:line|fill|blend)\d+$/.test(name)

/** The property and both colours of a class. `line3` and `fill3` are the fourth series, as a stroke and as a fill. */
export function colourOf(colour: Colour): readonly ['fill' | 'stroke', string, string] {
  if (isNamed(colour)) return COLOURS[colour]
  if (colour.startsWith('blend')) return blend(Number(colour.slice(5)) / (BLENDS - 1))
  const [light, dark] = SERIES[Number(colour.slice(4)) % SERIES.length]!
  return [colour.startsWith('line') ? 'stroke' : 'fill', light, dark]
}

function blend(share: number): readonly ['fill', string, string] {
  const mixed = (paper: 1 | 2): string => {
    const [from, to] = [channelsOf(COLOURS.less[paper]), channelsOf(COLOURS.more[paper])]
    const parts = from.map((part, i) => Math.round(part + share * (to[i]! - part)))
    return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`
  }
  return ['fill', mixed(1), mixed(2)]
}

/** Red, green and blue of `#rrggbb`, 0 … 255. */
export function channelsOf(colour: string): readonly [number, number, number] {
  const part = (at: number): number => parseInt(colour.slice(at, at + 2), 16)
  return [part(1), part(3), part(5)]
}

/**
 * The style of a picture with these colours. A picture that is part of a page follows the color-scheme of the element around it.
 * A picture that is a document itself (a file, an <img>) follows the reader's preference. Browsers without light-dark() (before
 * 2024) always follow the preference.
 */
export function styleOf(colours: Iterable<Colour>): string {
  const rule = (write: (light: string, dark: string) => string): string =>
    Array.from(colours, (colour) => {
      const [property, light, dark] = colourOf(colour)
      return `.myelin-picture .${colour}{${property}:${write(light, dark)}}`
    }).join('')
  const withoutLightDark = `@supports not (color:light-dark(red,red)){@media(prefers-color-scheme:dark){${rule((_light, dark) => dark)}}}`
  return `<style>.myelin-picture{font:12px system-ui,sans-serif}.myelin-picture:root{color-scheme:light dark}${rule((light, dark) => `light-dark(${light},${dark})`)}${withoutLightDark}</style>`
}
