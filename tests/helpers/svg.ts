// Reads SVGs: a strict parser of their XML, and the checks that every picture passes.

import { inflateSync } from 'node:zlib'
import { expect } from 'vitest'

export interface Node {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: (Node | string)[]
}

/** A strict parser of the XML of the images: throws if it is not well formed. */
export function parsed(xml: string): Node {
  const root: Node = { name: '', attributes: {}, children: [] }
  const open: Node[] = [root]
  const token = /<(\/?)([a-zA-Z]+)((?: [a-zA-Z:-]+="[^"<]*")*)(\/?)>|([^<>]+)/gy
  while (token.lastIndex < xml.length) {
    const at = token.lastIndex
    const found = token.exec(xml)
    if (found === null) throw new Error(`not well formed at ${at}: ${xml.slice(at, at + 60)}`)
    const [, closes, name, list, isEmpty, text] = found
    if (text !== undefined) open.at(-1)!.children.push(unescaped(text))
    else if (closes === '/') expect(open.pop()!.name).toBe(name)
    else {
      const attributes = Object.fromEntries(
        Array.from(list!.matchAll(/ ([a-zA-Z:-]+)="([^"]*)"/g), ([, key, value]) => [key!, unescaped(value!)]),
      )
      const node: Node = { name: name!, attributes, children: [] }
      open.at(-1)!.children.push(node)
      if (isEmpty === '') open.push(node)
    }
  }
  expect(open).toHaveLength(1)
  return root.children[0] as Node
}

function unescaped(text: string): string {
  expect(text.replace(/&(amp|lt|gt|quot|#39|#x[0-9a-f]+);/g, '')).not.toContain('&')
  return text
    .replace(/&#x([0-9a-f]+);/g, (_all, code: string) => String.fromCodePoint(parseInt(code, 16)))
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')
}

export const all = (node: Node, name: string): Node[] =>
  node.children.flatMap((child) =>
    typeof child === 'string' ? [] : [...(child.name === name ? [child] : []), ...all(child, name)],
  )
export const textOf = (node: Node): string =>
  node.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('')
export const texts = (node: Node): string[] => all(node, 'text').map(textOf)

export function checked(svg: string): { root: Node; descriptionText: string; width: number; height: number } {
  const root = parsed(svg)
  const [title, description] = [all(root, 'title')[0]!, all(root, 'desc')[0]!]
  expect(root.name).toBe('svg')
  expect(root.attributes['role']).toBe('img')
  expect(root.attributes['aria-labelledby']).toBe(`${title.attributes['id']} ${description.attributes['id']}`)
  const [x, y, width, height] = root.attributes['viewBox']!.split(' ').map(Number)
  expect([x, y, width! > 100, height! > 60]).toEqual([0, 0, true, true])
  expect(svg).not.toMatch(/NaN|Infinity|undefined/)
  // A page without a charset shows only ASCII unchanged.
  expect(svg).toMatch(/^[\0-\x7f]*$/)
  expect(svg).toContain('prefers-color-scheme:dark')
  return { root, descriptionText: textOf(description), width: width!, height: height! }
}

/** The pixels of an unfiltered PNG, row by row; grey ones as three equal numbers. */
export function pixelsOf(uri: string): { width: number; height: number; rgb: number[][] } {
  const bytes = Buffer.from(uri.replace('data:image/png;base64,', ''), 'base64')
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
  const channels = bytes[25] === 2 ? 3 : 1
  const start = bytes.indexOf('IDAT') + 4
  const lines = inflateSync(bytes.subarray(start, start + bytes.readUInt32BE(start - 8)))
  const rgb = Array.from({ length: width * height }, (_, at) => {
    const from = Math.floor(at / width) * (channels * width + 1) + 1 + channels * (at % width)
    return [0, 1, 2].map((c) => lines[from + (channels === 3 ? c : 0)]!)
  })
  return { width, height, rgb }
}
