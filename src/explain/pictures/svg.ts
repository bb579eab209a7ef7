// Shared by all pictures: the frame, colours for light and dark pages, escaped text, short numbers.

import { ArgumentError, quoted } from '../../core/errors'
import { custom, nullable, option } from '../../core/options'
import { asciiXml } from '../../core/text'

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
export const pictureTable = (title: string) => ({
  title: option(words, title),
  description: option(nullable(words), null),
})

/** By class: the property that is coloured, on light and on dark pages. The first is an attribute too, for tools without CSS. */
const COLOURS = {
  paper: ['fill', '#ffffff', '#14171c'],
  ink: ['fill', '#1f2328', '#e6edf3'],
  soft: ['fill', '#59636e', '#9aa4af'],
  line: ['stroke', '#c8d1da', '#39414b'],
  axis: ['stroke', '#59636e', '#9aa4af'],
  more: ['fill', '#c2410c', '#ff8a4c'],
  less: ['fill', '#1d5fbf', '#6ea8ff'],
  one: ['stroke', '#59636e', '#9aa4af'],
  mean: ['stroke', '#1d5fbf', '#6ea8ff'],
} as const satisfies Record<string, readonly ['fill' | 'stroke', string, string]>
export type Colour = keyof typeof COLOURS

function rules(column: 1 | 2): string {
  return Object.entries(COLOURS)
    .map(([name, colour]) => `.myelin-picture .${name}{${colour[0]}:${colour[column]}}`)
    .join('')
}

const style = (): string =>
  `<style>.myelin-picture{font:12px system-ui,sans-serif}${rules(1)}@media(prefers-color-scheme:dark){${rules(2)}}</style>`

/** Escapes text for XML, also within quotation marks. */
function escaped(text: string): string {
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

/** An element in a colour. @param content is XML already */
export function element(name: string, colour: Colour | null, attributes: Attributes, content = ''): string {
  const painted = colour === null ? {} : { class: colour, [COLOURS[colour][0]]: COLOURS[colour][1] }
  const list = Object.entries({ ...painted, ...attributes }).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? coordinate(value) : escaped(value)}"`,
  )
  return `<${name}${list.join('')}${content === '' ? '/>' : `>${content}</${name}>`}`
}

/** A text; cut to a number of characters, where it is longer, which then are its tooltip. */
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

function coordinate(x: number): string {
  return String(Math.round(x * 100) / 100)
}

/** Three digits: `0.0312`, `−4.2`, `1.2e−7`. */
export function short(x: number): string {
  return String(Number(x.toPrecision(3))).replaceAll('-', '−')
}

/** A text that differs for pictures that differ, for the ids of one page. */
function idOf(text: string): string {
  let hash = 5381
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 33) ^ text.charCodeAt(i)) >>> 0
  return `myelin-${hash.toString(36)}`
}

/** The position of the title, and the content below it. */
export const HEAD = 40

/**
 * The whole picture: background, title, text for screen readers, then the body.
 * @param described the content in words
 */
export function picture(
  width: number,
  height: number,
  { title, description }: { readonly title: string; readonly description: string | null },
  described: string,
  body: string,
): string {
  const said = description ?? described
  const id = idOf(title + said + body)
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" class="myelin-picture" viewBox="0 0 ${coordinate(width)} ${coordinate(height)}" role="img" aria-labelledby="${id}-title ${id}-desc">`,
    `<title id="${id}-title">${escaped(title)}</title><desc id="${id}-desc">${escaped(said)}</desc>${style()}`,
    element('rect', 'paper', { width, height, rx: 6 }),
    label(title, 'ink', { x: 16, y: 26, 'font-size': 15, 'font-weight': 600 }, Math.floor((width - 32) / 7.5)),
    body,
    '</svg>',
  ]
  return asciiXml(parts.join(''))
}
