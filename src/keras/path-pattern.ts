// Regular expressions of a file, which are matched to whole paths of weights. RegExp backtracks: with `(a+)+b`, a file could stop the
// process. Here all alternatives advance together, so that the time is at most (length of the path) × (length of the expression).

import { FormatError, quoted } from '../core/errors'

/** A step of a machine. A step without a test is passed without a character. */
interface Step {
  readonly accepts: ((character: string) => boolean) | null
  next: readonly Step[]
}

/** A part of an expression: the steps where it begins, and those that lead out of it. */
interface Part {
  readonly first: Step
  readonly last: Step
}

/** The steps that all expressions of a file may take together: about two seconds. Making one costs as much as a hundred. */
export interface Effort {
  left: number
}
export const effort = (): Effort => ({ left: 20_000_000 })

function spend(left: Effort, steps: number): void {
  left.left -= steps
  if (left.left < 0)
    throw new FormatError('MultiOptimizer: its expressions take too long to match. Load the model with compile: false')
}

const CLASSES: Readonly<Record<string, RegExp>> = {
  d: /^\d$/,
  D: /^\D$/,
  w: /^\w$/,
  W: /^\W$/,
  s: /^\s$/,
  S: /^\S$/,
}

/**
 * A test whether an expression matches a whole text: characters, `.`, classes, groups, alternatives and repetitions.
 * @throws FormatError for anything else, such as references and assertions
 */
export function pathPattern(source: string, left: Effort): (text: string) => boolean {
  // Alternatives of plain paths may be many.
  if (/^[\w/|-]*$/.test(source)) {
    const texts = new Set(source.split('|'))
    return (text) => texts.has(text)
  }
  const { first, last } = new Parser(source, left).whole()
  return (text) => {
    let steps = closure([first])
    for (const character of text) {
      steps = closure([...steps].filter(({ accepts }) => accepts?.(character) === true).flatMap(({ next }) => next))
      if (steps.size === 0) return false
      spend(left, steps.size)
    }
    return steps.has(last)
  }
}

/** Steps, and all that are reached from them without a character. */
function closure(steps: readonly Step[]): ReadonlySet<Step> {
  const reached = new Set(steps)
  for (const { accepts, next } of reached) if (accepts === null) for (const each of next) reached.add(each)
  return reached
}

class Parser {
  private at = 0

  constructor(
    private readonly source: string,
    private readonly left: Effort,
  ) {}

  whole(): Part {
    const part = this.alternatives(0)
    if (this.at < this.source.length) this.fail()
    return part
  }

  private fail(): never {
    throw new FormatError(
      `MultiOptimizer: the expression ${quoted(this.source)} is not supported from character ${this.at} on. Load the model with compile: false`,
    )
  }

  private step(accepts: Step['accepts'] = null, next: readonly Step[] = []): Step {
    spend(this.left, 100)
    return { accepts, next }
  }

  private take(text: string): boolean {
    if (!this.source.startsWith(text, this.at)) return false
    this.at += text.length
    return true
  }

  private alternatives(depth: number): Part {
    if (depth > 100) this.fail()
    const parts = [this.sequence(depth)]
    while (this.take('|')) parts.push(this.sequence(depth))
    if (parts.length === 1) return parts[0]!
    const last = this.step()
    for (const part of parts) part.last.next = [last]
    return {
      first: this.step(
        null,
        parts.map((part) => part.first),
      ),
      last,
    }
  }

  private sequence(depth: number): Part {
    const first = this.step()
    let last = first
    while (this.at < this.source.length && !/[|)]/.test(this.source[this.at]!)) {
      const part = this.repeated(depth)
      last.next = [part.first]
      last = part.last
    }
    return { first, last }
  }

  private repeated(depth: number): Part {
    const start = this.at
    let part = this.atom(depth)
    const end = this.at
    const bounds = /^(?:[*+?]|\{(\d*)(,?)(\d*)\})/.exec(this.source.slice(this.at, this.at + 20))
    if (bounds === null) return part
    const [whole, from = '', comma = '', to = ''] = bounds
    this.at += whole.length
    const after = this.at + (this.take('?') ? 1 : 0)
    const least = whole === '+' ? 1 : Number(from)
    const most =
      whole === '?'
        ? 1
        : whole === '*' || whole === '+'
          ? Infinity
          : comma === ''
            ? least
            : to === ''
              ? Infinity
              : Number(to)
    if (least > most) this.fail()
    // The text of the part is parsed once for each copy.
    const copy = (): Part => {
      this.at = start
      const made = this.atom(depth)
      if (this.at !== end) this.fail()
      return made
    }
    const first = this.step()
    const last = this.step()
    let at = first
    const count = most === Infinity ? Math.max(least, 1) : most
    for (let i = 0; i < count; i++) {
      if (i > 0) part = copy()
      at.next = i >= least ? [part.first, last] : [part.first]
      at = part.last
    }
    at.next = [...(count === 0 ? [] : most === Infinity ? [part.first] : []), last]
    this.at = after
    return { first, last }
  }

  private atom(depth: number): Part {
    if (this.take('(')) {
      if (this.take('?')) {
        const kind = /^(?::|P?<[A-Za-z]\w*>)/.exec(this.source.slice(this.at, this.at + 100))
        if (kind === null) this.fail()
        this.at += kind[0].length
      }
      const part = this.alternatives(depth + 1)
      if (!this.take(')')) this.fail()
      return part
    }
    const accepts = this.take('[') ? this.characterClass() : this.character()
    const last = this.step()
    return { first: this.step(accepts, [last]), last }
  }

  private character(): (character: string) => boolean {
    const found = String.fromCodePoint(this.source.codePointAt(this.at)!)
    if (/[*+?{}^$]/.test(found)) this.fail()
    this.at += found.length
    if (found === '.') return (character) => character !== '\n'
    return found === '\\' ? this.escape() : (character) => character === found
  }

  private escape(): (character: string) => boolean {
    const found = this.source[this.at] ?? this.fail()
    this.at++
    const known = Object.hasOwn(CLASSES, found) ? CLASSES[found] : undefined
    if (known !== undefined) return (character) => known.test(character)
    if (/[A-Za-z0-9]/.test(found)) this.fail()
    return (character) => character === found
  }

  private characterClass(): (character: string) => boolean {
    const isNegated = this.take('^')
    const tests: ((character: string) => boolean)[] = []
    const start = this.at
    while (this.at === start || !this.take(']')) {
      if (this.at >= this.source.length) this.fail()
      const range = /^([^\\])-([^\]\\])/.exec(this.source.slice(this.at, this.at + 3))
      const [whole, from, to] = range ?? ['']
      this.at += whole.length
      if (range !== null) tests.push((character) => character >= from! && character <= to!)
      else if (this.take('\\')) tests.push(this.escape())
      else {
        const found = this.source[this.at++]!
        tests.push((character) => character === found)
      }
    }
    return (character) => tests.some((test) => test(character)) !== isNegated
  }
}
