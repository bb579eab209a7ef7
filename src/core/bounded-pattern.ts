// Regular expressions of files. RegExp backtracks: with `(a+)+b`, a file could stop the process. Here all alternatives advance together, so
// that a match takes at most (length of the text) × (length of the expression) steps. The steps of all expressions of a file are limited, too.

import { FormatError, quoted } from './errors'

/**
 * A step of a machine. A step with `accepts` consumes a character; a step without it consumes none, and is passed if `holds` is null or true
 * at the position.
 */
interface Step {
  readonly accepts: ((character: string) => boolean) | null
  readonly holds: ((text: readonly string[], at: number) => boolean) | null
  next: readonly Step[]
}

/** A part of an expression: the step where it begins, and the step that leads out of it. */
interface Part {
  readonly first: Step
  readonly last: Step
}

/** Counts the steps of all expressions of a file. The limit is about two seconds; a step that is created counts as a hundred. */
export class Effort {
  private left = 20_000_000

  /** @param where names the object with the expressions in errors */
  constructor(readonly where: string) {}

  spend(steps: number): void {
    this.left -= steps
    if (this.left < 0)
      throw new FormatError(`${this.where}: its expressions take too long to match. Load the model with compile: false`)
  }
}

/** Makes the expressions of one file, which have one limit together. */
export function boundedPatterns(): (source: string, flags: string) => RegExp {
  const effort = new Effort('The optimizer of the file')
  return (source, flags) => new BoundedPattern(source, flags, effort)
}

/** References to groups, which no machine can match. */
const UNBOUNDED = /\\[1-9]|\\k</

/**
 * An expression of a program, which may have read it from a file. An expression that only RegExp can match is left to RegExp: files cannot contain
 * it, because `boundedPatterns` refuses it.
 */
export function boundedIfPossible(source: string, flags: string): RegExp {
  if (UNBOUNDED.test(source) || flags.includes('v')) return new RegExp(source, flags)
  return new BoundedPattern(source, flags, new Effort('The optimizer'))
}

/**
 * Whether a machine that starts at a position ends at a position that `isEnd` accepts.
 * @param isMoving whether the machine also starts at every later position
 */
function runs(
  { first, last }: Part,
  text: readonly string[],
  start: number,
  isEnd: (at: number) => boolean,
  effort: Effort,
  isMoving = false,
): boolean {
  let steps: readonly Step[] = [first]
  for (let at = start; ; at++) {
    const reached = closure(steps, text, at, effort)
    if (reached.has(last) && isEnd(at)) return true
    const character = text[at]
    if (character === undefined || (reached.size === 0 && !isMoving)) return false
    const accepted = [...reached].filter(({ accepts }) => accepts?.(character) === true).flatMap(({ next }) => next)
    steps = isMoving ? [...accepted, first] : accepted
  }
}

/** Steps, and all steps that are reached from them without a character. */
function closure(steps: readonly Step[], text: readonly string[], at: number, effort: Effort): ReadonlySet<Step> {
  const reached = new Set(steps)
  for (const { accepts, holds, next } of reached)
    if (accepts === null && (holds === null || holds(text, at))) for (const each of next) reached.add(each)
  effort.spend(reached.size)
  return reached
}

/**
 * A test whether an expression of Python matches a whole text: characters, `.`, classes, groups, alternatives and repetitions.
 * @throws FormatError for anything else, such as references and assertions
 */
export function wholePattern(source: string, effort: Effort): (text: string) => boolean {
  // An optimizer's file may list thousands of plain paths as alternatives.
  if (/^[\w/|-]*$/.test(source)) {
    const texts = new Set(source.split('|'))
    return (text) => texts.has(text)
  }
  const machine = new Parser(source, effort, null).whole()
  return (text) => {
    const characters = Array.from(text)
    return runs(machine, characters, 0, (at) => at === characters.length, effort)
  }
}

/**
 * An expression of JavaScript that takes bounded time.
 * @throws FormatError for an invalid expression, and for one with references to groups
 */
export class BoundedPattern extends RegExp {
  readonly #machine: Part
  readonly #effort: Effort
  /** The results by text, because each step of a training asks for the same texts. */
  readonly #results = new Map<string, boolean>()

  constructor(source: string, flags: string, effort: Effort) {
    try {
      super(source, flags)
    } catch (error) {
      throw new FormatError(`${effort.where}: ${quoted(source)} is not a regular expression`, { cause: error })
    }
    this.#effort = effort
    this.#machine = new Parser(source, effort, flags).whole()
  }

  override test(text: string): boolean {
    const known = this.#results.get(text)
    if (known !== undefined) return known
    const characters = this.unicode ? Array.from(text) : text.split('')
    const found = runs(this.#machine, characters, 0, () => true, this.#effort, !this.sticky)
    this.#results.set(text, found)
    return found
  }

  /** 0 if the expression is found, otherwise −1. */
  override [Symbol.search](text: string): number {
    return this.test(text) ? 0 : -1
  }
}

const CLASSES: Readonly<Record<string, RegExp>> = {
  d: /^\d$/,
  D: /^\D$/,
  w: /^\w$/,
  W: /^\W$/,
  s: /^\s$/,
  S: /^\S$/,
}

/** A class of characters, an escape that is not a reference, or another character of JavaScript. */
const ATOM =
  '^(?:\\[(?:[^\\]\\\\]|\\\\[^])*\\]|\\\\(?:c[A-Za-z]|x[\\dA-Fa-f]{2}|u[\\dA-Fa-f]{4}|u\\{[\\dA-Fa-f]+\\}|[pP]\\{[^}]*\\}|[^1-9k])|[^\\\\])'

/** The quantifier after a part. */
const [OF_PYTHON, OF_JAVASCRIPT] = [/^(?:[*+?]|\{(\d*)(,?)(\d*)\})/, /^(?:[*+?]|\{(\d+)(,?)(\d*)\})/]

/** The least and the largest number of repetitions: of `?`, `*`, `+`, `{3}`, `{3,}` or `{3,5}`. */
function limitsOf([whole, from = '', comma = '', to = '']: RegExpExecArray): readonly [least: number, most: number] {
  if (whole === '?') return [0, 1]
  if (whole === '*') return [0, Infinity]
  if (whole === '+') return [1, Infinity]
  const least = Number(from)
  if (comma === '') return [least, least]
  return [least, to === '' ? Infinity : Number(to)]
}

class Parser {
  private at = 0

  /** @param flags of an expression of JavaScript; null for one of Python */
  constructor(
    private readonly source: string,
    private readonly effort: Effort,
    private readonly flags: string | null,
  ) {}

  whole(): Part {
    const part = this.alternatives(0)
    if (this.at < this.source.length) this.fail()
    return part
  }

  private fail(): never {
    throw new FormatError(
      `${this.effort.where}: the expression ${quoted(this.source)} is not supported from character ${this.at} on. Load the model with compile: false`,
    )
  }

  private step(accepts: Step['accepts'] = null, next: readonly Step[] = [], holds: Step['holds'] = null): Step {
    this.effort.spend(100)
    return { accepts, holds, next }
  }

  private has(flag: string): boolean {
    return this.flags?.includes(flag) === true
  }

  /** A part that takes no character. */
  private assertion(holds: Step['holds']): Part {
    const last = this.step()
    return { first: this.step(null, [last], holds), last }
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
    const bounds = (this.flags === null ? OF_PYTHON : OF_JAVASCRIPT).exec(this.source.slice(this.at, this.at + 20))
    if (bounds === null) return part
    this.at += bounds[0].length
    const after = this.at + (this.take('?') ? 1 : 0)
    const [least, most] = limitsOf(bounds)
    if (least > most) this.fail()
    // Each copy of the part is made by parsing its text again.
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
    const repeats = most === Infinity && count > 0 ? [part.first] : []
    at.next = [...repeats, last]
    this.at = after
    return { first, last }
  }

  private atom(depth: number): Part {
    if (this.take('(')) {
      const look = this.flags === null ? null : /^\?(<?)([=!])/.exec(this.source.slice(this.at, this.at + 3))
      if (look !== null) this.at += look[0].length
      else if (this.take('?')) {
        const kind = /^(?::|P?<[A-Za-z_$][\w$]*>)/.exec(this.source.slice(this.at, this.at + 100))
        if (kind === null) this.fail()
        this.at += kind[0].length
      }
      const part = this.alternatives(depth + 1)
      if (!this.take(')')) this.fail()
      return look === null ? part : this.look(part, look[1] !== '', look[2] === '!')
    }
    const edge = this.flags === null ? null : this.edge()
    if (edge !== null) return this.assertion(edge)
    const accepts = this.flags === null ? this.ofPython() : this.native()
    const last = this.step()
    return { first: this.step(accepts, [last]), last }
  }

  private ofPython(): Step['accepts'] {
    return this.take('[') ? this.characterClass() : this.character()
  }

  /** An assertion that a part matches after a position, or before it. */
  private look(part: Part, isBehind: boolean, isNegated: boolean): Part {
    const { effort } = this
    return this.assertion((text, at) => {
      if (!isBehind) return runs(part, text, at, () => true, effort) !== isNegated
      for (let start = at; start >= 0; start--)
        if (runs(part, text, start, (end) => end === at, effort)) return !isNegated
      return isNegated
    })
  }

  /** The test of `^`, `$`, `\b` and `\B`; null for anything else. */
  private edge(): Step['holds'] {
    const isLine = (character: string | undefined): boolean =>
      character === undefined || (this.has('m') && /[\n\r\u2028\u2029]/.test(character))
    if (this.take('^')) return (text, at) => isLine(text[at - 1])
    if (this.take('$')) return (text, at) => isLine(text[at])
    const isWord = (character: string | undefined): boolean => character !== undefined && /\w/.test(character)
    const isBetween = (text: readonly string[], at: number): boolean => isWord(text[at - 1]) !== isWord(text[at])
    if (this.take('\\b')) return isBetween
    return this.take('\\B') ? (text, at) => !isBetween(text, at) : null
  }

  /** One character, an escape or a class of JavaScript. RegExp tests it, because it cannot backtrack over one character. */
  private native(): (character: string) => boolean {
    const [whole] = new RegExp(ATOM, this.has('u') ? 'u' : '').exec(this.source.slice(this.at)) ?? this.fail()
    if (/^[*+?]$/.test(whole) || this.has('v')) this.fail()
    this.at += whole.length
    const one = new RegExp(`^${/^[{}\]]$/.test(whole) ? `\\${whole}` : whole}$`, this.flags!.replaceAll(/[^iu]/g, ''))
    if (whole === '.') return (character) => this.has('s') || one.test(character)
    return (character) => one.test(character)
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
