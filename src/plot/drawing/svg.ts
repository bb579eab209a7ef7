// Shared by all pictures: the frame, elements, escaped text, short numbers.

import { ArgumentError, quoted } from '../../core/errors'
import { anything, custom, nullable, option } from '../../core/options'
import { asciiXml } from '../../core/text'
import { colourOf, isColour, styleOf, type Colour } from './colours'
import type { Drawing } from './picture'

/** The options of every picture. */
export interface PictureOptions {
  /** The title above the picture, which screen readers read first. */
  readonly title?: string
  /** The description that screen readers read after the title. Default: the content in words. */
  readonly description?: string | null
}

/** Any text, also an empty one. */
export const words = custom<string>(
  (value, where) => {
    if (typeof value === 'string') return value
    throw new ArgumentError(`${where} must be a text, received ${quoted(value)}`)
  },
  (value) => value,
)
export const textOption = (initial: string) => option(words, initial)
/** Data, or null. */
export const dataOption = option(nullable(anything), null)
const pictureRows = (title: string) => ({
  title: option(words, title),
  description: option(nullable(words), null),
})
type PictureRows = ReturnType<typeof pictureRows>
export type PictureTable = { [Name in keyof PictureRows]: PictureRows[Name] }
export const pictureTable: (title: string) => PictureTable = pictureRows

/** Escapes text for XML, also within quotation marks. */
export function escaped(text: string): string {
  // Control characters are not allowed in XML at all.
  const allowed = Array.from(text, (each) => (each < ' ' && !'\t\n\r'.includes(each) ? '\uFFFD' : each)).join('')
  return allowed
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;')
}

type Attributes = Readonly<Record<string, string | number>>

/** An element in a colour. @param content XML, which is not escaped again */
export function element(name: string, colour: Colour | null, attributes: Attributes, content = ''): string {
  const painted = colour === null ? {} : { class: colour, [colourOf(colour)[0]]: colourOf(colour)[1] }
  const list = Object.entries({ ...painted, ...attributes }).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? coordinate(value) : escaped(value)}"`,
  )
  return `<${name}${list.join('')}${content === '' ? '/>' : `>${content}</${name}>`}`
}

/** A text. A longer one than `most` characters is cut, and its tooltip is the whole text. */
export function label(text: string, colour: Colour, attributes: Attributes, most = Infinity): string {
  const characters = Array.from(text)
  if (characters.length <= most) return element('text', colour, attributes, escaped(text) || ' ')
  return element(
    'text',
    colour,
    attributes,
    `${element('title', null, {}, escaped(text))}${escaped(characters.slice(0, most - 1).join(''))}…`,
  )
}

/** Two decimals. */
export function coordinate(x: number): string {
  return String(Math.round(x * 100) / 100)
}

/** Three digits: `0.0312`, `−4.2`, `1.2e−7`. */
export function short(x: number): string {
  const text = x.toPrecision(3)
  // The largest numbers round to Infinity.
  return (Number.isFinite(x) && !Number.isFinite(Number(text)) ? text : String(Number(text))).replaceAll('-', '−')
}

/** The same, with an exponent for small numbers, which needs less room: `4.15e−6`. */
export function compact(x: number): string {
  return x !== 0 && Math.abs(x) < 1e-4 ? Number(x.toPrecision(3)).toExponential().replaceAll('-', '−') : short(x)
}

/** An id that differs between the pictures of one page: a hash of the content. */
function idOf(text: string): string {
  let hash = 5381
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 33) ^ text.charCodeAt(i)) >>> 0
  return `myelin-${hash.toString(36)}`
}

/** The height of the head with the title: the content begins below it. */
export const HEAD = 40
/** The width of a bold character of a title, in a wide font. */
const BOLD = 8.8

/** The extent of a picture in pixels. A fluid picture is as wide as the element around it. */
interface Extent {
  readonly width: number
  readonly height: number
  readonly fluid?: boolean
}

/**
 * The whole picture: background, title, text for screen readers, then the body.
 * @param content the content in words, used as the description by default
 */
export function picture(
  { width, height, fluid = false }: Extent,
  text: { readonly title: string; readonly description: string | null },
  content: string,
  body: string,
): Drawing {
  const { title } = text
  const description = text.description ?? content
  const id = idOf(title + description + body)
  const drawn =
    element('rect', 'paper', { width, height, rx: 6 }) +
    label(title, 'ink', { x: 16, y: 26, 'font-size': 15, 'font-weight': 600 }, Math.floor((width - 32) / BOLD)) +
    body
  const colours = new Set(Array.from(drawn.matchAll(/ class="(\w+)"/g), ([, name]) => name!).filter(isColour))
  const size = fluid
    ? ''
    : ` width="${coordinate(width)}" height="${coordinate(height)}" style="max-width:100%;height:auto"`
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" class="myelin-picture" viewBox="0 0 ${coordinate(width)} ${coordinate(height)}"${size} role="img" aria-labelledby="${id}-title ${id}-desc">`,
    `<title id="${id}-title">${escaped(title)}</title><desc id="${id}-desc">${escaped(description)}</desc>${styleOf(colours)}`,
    drawn,
    '</svg>',
  ]
  return { svg: asciiXml(parts.join('')), title, description }
}
