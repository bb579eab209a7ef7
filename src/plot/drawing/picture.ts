// Picture: an SVG that displays itself in notebooks and is saved as a file. svg.ts writes the text.

import { writeFile } from '../../engine/runtime/files'

/** The parts of a picture. */
export interface Drawing {
  /** The whole SVG. */
  readonly svg: string
  /** The text that screen readers read first. */
  readonly title: string
  /** The content in words and numbers. */
  readonly description: string
}

/** What consoles and notebooks display. Bundles leave out an unused class with symbols only if a pure call makes it. */
const Displayed = /* @__PURE__ */ (() => {
  abstract class Displayed implements Drawing {
    abstract readonly svg: string
    abstract readonly title: string
    abstract readonly description: string;

    /** What Deno's notebooks display. @internal */
    [Symbol.for('Jupyter.display')](): Readonly<Record<string, string>> {
      return { 'image/svg+xml': this.svg, 'text/plain': `${this.title}. ${this.description}` }
    }

    /** What `console.log` shows in Node: the content in words. @internal */
    [Symbol.for('nodejs.util.inspect.custom')](): string {
      return `Picture: ${this.title}\n${this.description}`
    }
  }
  return Displayed
})()

/**
 * A picture as SVG, in ASCII, readable on light and dark pages. Deno's notebooks display it; in other places use `svg`, the
 * template `${picture}`, `element()` in a browser, or `save(path)`.
 *
 *   const picture = plotHistory(history)
 *   await picture.save('history.svg')
 *   document.body.append(picture.element())
 */
export class Picture extends Displayed {
  /** The whole SVG: the content of a file, or a part of a page. */
  readonly svg: string
  readonly title: string
  /** The content in words and numbers, which screen readers read. */
  readonly description: string

  constructor({ svg, title, description }: Drawing) {
    super()
    this.svg = svg
    this.title = title
    this.description = description
  }

  override toString(): string {
    return this.svg
  }

  /**
   * Writes the SVG as a file (Node). An existing file is replaced completely or not at all.
   * @throws StateError if there are no files, or it cannot be written
   */
  async save(path: string | URL): Promise<void> {
    await writeFile(
      path,
      Uint8Array.from(this.svg, (each) => each.charCodeAt(0)),
      'save',
    )
  }

  /**
   * A new element of the page, which Observable displays (browsers). It needs no `style-src 'unsafe-inline'` of a
   * Content-Security-Policy: the policy forbids styles that are parsed, and these are set.
   */
  element(): Element {
    // The rules inside @supports are left out: browsers without light-dark() use the attributes.
    const rules = Array.from(this.svg.matchAll(/<style>([^<@]*)/g), ([, css]) => css!).join('')
    const text = this.svg.replace(/<style>[^<]*<\/style>/g, '').replaceAll(' style="', ' data-style="')
    const root = document.importNode(new DOMParser().parseFromString(text, 'image/svg+xml').documentElement, true)
    const all = [root, ...root.querySelectorAll('*')].filter((each) => each instanceof SVGElement)
    for (const { style, dataset } of all) {
      if (dataset['style'] !== undefined) style.cssText = dataset['style']
      delete dataset['style']
    }
    for (const [, selector, css] of rules.matchAll(/([^{}]+)\{([^}]*)\}/g))
      for (const each of all) if (each.matches(selector!)) each.style.cssText += css!
    return root
  }
}
