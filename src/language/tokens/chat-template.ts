// Chat templates: programs in Jinja that make the text of a conversation. They come with a model, so their time and memory are bounded.

import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja'
import { ArgumentError, FormatError, MyelinError } from '../../core/errors'
import { pythonText, type TemplateValue } from './python-text'
import { strftime } from './strftime'

/** A message of a conversation. Templates may read more, such as `tool_calls`. */
export interface ChatMessage {
  /** Who speaks: 'system', 'user', 'assistant' or 'tool'. */
  readonly role: string
  /** The text, or parts such as `{ type: 'text', text: '…' }`. */
  readonly content?: unknown
  readonly [key: string]: unknown
}

/** Options of a chat template. */
export interface ChatTemplateOptions {
  /** Whether the text ends with the begin of an answer, which the model then continues. @default true */
  readonly addGenerationPrompt?: boolean
  /** The functions that the model may call, as JSON schemas. @default null */
  readonly tools?: readonly unknown[] | null
  /** The time that `strftime_now` of templates shows. @default now */
  readonly now?: Date
  /** Other variables of the template, such as `enable_thinking`. @default {} */
  readonly variables?: Readonly<Record<string, unknown>>
}

type Program = ReturnType<typeof parse>
type Node = Parameters<Interpreter['evaluate']>[0]
type Value = ReturnType<Interpreter['evaluate']>

/** Units of work that a template may take, about a second: expressions, elements of new lists, 16 characters of new texts. */
const MOST_WORK = 5_000_000
/** The longest text that a template may make. */
const LONGEST_TEXT = 2 ** 24
/** The longest `range` of a template. */
const LONGEST_RANGE = 1_000_000
/** The longest template. */
const LONGEST_TEMPLATE = 2 ** 20

export class ChatTemplate {
  private readonly program: Program

  /**
   * @param where names the file in errors
   * @throws FormatError for a template that is not valid
   */
  constructor(
    source: string,
    private readonly where: string,
  ) {
    if (source.length > LONGEST_TEMPLATE) {
      throw new FormatError(
        `${where}: the chat template has ${source.length} characters, more than ${LONGEST_TEMPLATE}`,
      )
    }
    this.program = this.guarded(() => {
      const program = parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }))
      instrument(program)
      return program
    })
  }

  /**
   * The text of a conversation.
   * @param specials texts of special tokens by their names, such as `bos_token`
   * @throws ArgumentError with the words of the template if it refuses the messages
   * @throws FormatError if the template fails, or takes too much time or memory
   */
  render(
    messages: readonly ChatMessage[],
    options: ChatTemplateOptions,
    specials: ReadonlyMap<string, string>,
  ): string {
    const { addGenerationPrompt = true, tools = null, now = new Date(), variables = {} } = options
    const environment = new Environment()
    const values: Record<string, unknown> = {
      ...Object.fromEntries(specials),
      ...variables,
      messages,
      tools,
      documents: variables['documents'] ?? null,
      add_generation_prompt: addGenerationPrompt,
      true: true,
      false: false,
      none: null,
      True: true,
      False: false,
      None: null,
      range: boundedRange,
      strftime_now: (format: unknown) => strftime(now, String(format)),
      raise_exception: (message: unknown) => {
        throw new ArgumentError(`The chat template of ${this.where} refuses these messages: ${String(message)}`)
      },
    }
    return this.guarded(() => {
      for (const [name, value] of Object.entries(values)) environment.set(name, value)
      return String(new BoundedInterpreter(environment).run(this.program).value)
    })
  }

  /** Runs code of the interpreter; its errors become errors of the file. */
  private guarded<Result>(body: () => Result): Result {
    try {
      return body()
    } catch (error) {
      if (error instanceof ArgumentError) throw error
      const reason = error instanceof Error ? error.message : String(error)
      if (error instanceof MyelinError) throw new FormatError(`The chat template of ${this.where} ${reason}`)
      throw new FormatError(`The chat template of ${this.where} fails: ${reason}`)
    }
  }
}

function boundedRange(first: unknown, second?: unknown, third: unknown = 1): number[] {
  const [begin, end] = second === undefined ? [0, Number(first)] : [Number(first), Number(second)]
  const step = Number(third)
  const length = Math.max(0, Math.ceil((end - begin) / step))
  if (!(length <= LONGEST_RANGE))
    throw new FormatError(`asks for a range of ${length} numbers, more than ${LONGEST_RANGE}`)
  return Array.from({ length }, (_, at) => begin + at * step)
}

/** What ends a turn of a loop early; null for its last statement. */
type End = 'Break' | 'Continue' | null

/** Counts work, shows values as Python does, and keeps what a turn of a loop wrote before `break` or `continue`. */
class BoundedInterpreter extends Interpreter {
  private work = 0
  /** The scopes of loops that came to a `break`. */
  private readonly broken = new WeakSet<Environment>()

  override evaluate(statement: Node, environment: Environment): Value {
    if (++this.work > MOST_WORK) throw new FormatError('takes too long. It may have an endless loop')
    if (statement instanceof Known) return statement.value
    if (statement instanceof AsText) {
      return this.text(pythonText(this.evaluate(statement.value, environment)), environment)
    }
    if (statement instanceof Turn) return this.turn(statement, environment)
    const result = super.evaluate(statement instanceof Sum ? this.sum(statement, environment) : statement, environment)
    this.charge(result, statement)
    return result
  }

  private text(value: string, environment: Environment): Value {
    return super.evaluate(literal(value), environment)
  }

  /** A sum whose parts are known. Python adds only texts to texts; the package would write a list as JSON. */
  private sum({ node, left, right }: Sum, environment: Environment): Node {
    const values = [this.evaluate(left, environment), this.evaluate(right, environment)] as const
    const [first, second] = values
    if ((first.type === 'StringValue') !== (second.type === 'StringValue')) {
      throw new FormatError(`adds ${first.type} and ${second.type}. It may expect texts as content`)
    }
    return Object.assign(Object.create(node), { left: new Known(first), right: new Known(second) })
  }

  /** A turn of a loop. After a `break`, the next turn ends the loop, because the package would lose the text of this one. */
  private turn({ body }: Turn, environment: Environment): Value {
    if (this.broken.has(environment)) return super.evaluate(BREAK, environment)
    const parts: string[] = []
    if (this.write(body, environment, parts) === 'Break') this.broken.add(environment)
    return this.text(parts.join(''), environment)
  }

  private write(statements: readonly unknown[], environment: Environment, parts: string[]): End {
    for (const statement of statements) {
      if (!isNode(statement)) continue
      const { type } = statement
      if (type === 'Break' || type === 'Continue') return type
      if (type === 'If') {
        // The method of values of Jinja that Python calls, too.
        // oxlint-disable-next-line no-underscore-dangle -- a name of the package
        const isTrue = this.evaluate(nodeAt(statement, 'test'), environment).__bool__().value
        const end = this.write(bodyOf(statement, isTrue ? 'body' : 'alternate') ?? [], environment, parts)
        if (end !== null) return end
      } else {
        const value = this.evaluate(statement, environment)
        if (value.type !== 'NullValue' && value.type !== 'UndefinedValue') parts.push(value.toString())
      }
    }
    return null
  }

  private charge({ value }: TemplateValue, statement: Node): void {
    const isKnown = statement?.type === 'Identifier' || statement?.type === 'MemberExpression'
    if (Array.isArray(value)) this.work += isKnown ? value.length >> 6 : value.length
    if (typeof value !== 'string') return
    this.work += isKnown ? value.length >> 10 : value.length >> 4
    if (value.length > LONGEST_TEXT) throw new FormatError(`makes a text of more than ${LONGEST_TEXT} characters`)
  }
}

const BREAK: Node = { type: 'Break' }

function literal(value: string): NonNullable<Node> & { readonly value: string } {
  return { type: 'StringLiteral', value }
}

/** An expression as text: the package shows true, none and lists as JSON, Jinja as Python. */
class AsText {
  readonly type = 'AsText'
  constructor(readonly value: Node) {}
}

/** A value that was computed before. */
class Known {
  readonly type = 'Known'
  constructor(readonly value: Value) {}
}

/** A sum. */
class Sum {
  readonly type = 'Sum'
  constructor(
    readonly node: object,
    readonly left: Node,
    readonly right: Node,
  ) {}
}

/** The statements of a loop. */
class Turn {
  readonly type = 'Turn'
  constructor(readonly body: readonly unknown[]) {}
}

/** Statements, as opposed to expressions, whose values are printed. */
const STATEMENTS: ReadonlySet<string> = new Set([
  'Break',
  'CallStatement',
  'Comment',
  'Continue',
  'FilterStatement',
  'For',
  'If',
  'Macro',
  'Set',
  'StringLiteral',
])

/** Filters that make text of their operand first. */
const TEXT_FILTERS: ReadonlySet<unknown> = new Set([
  'capitalize',
  'lower',
  'replace',
  'string',
  'title',
  'trim',
  'upper',
])

/**
 * Prepares a program: what it prints, joins or filters as text becomes text as in Python, and each turn of a loop is evaluated, and so
 * counted, by `BoundedInterpreter`.
 */
function instrument(node: unknown): void {
  if (Array.isArray(node)) {
    for (const each of node) instrument(each)
    return
  }
  if (node instanceof Map) {
    for (const [key, value] of node) instrument([key, value])
    return
  }
  if (typeof node !== 'object' || node === null) return
  for (const [key, value] of Object.entries(node)) {
    instrument(value)
    if (isNode(value)) Object.assign(node, { [key]: instrumented(value) })
    else if (Array.isArray(value)) value.forEach((each, at) => void (value[at] = instrumented(each)))
  }
  for (const key of ['body', 'alternate', 'defaultBlock']) printAsText(node, key)
  if (fieldOf(node, 'type') === 'For') Object.assign(node, { body: [new Turn(bodyOf(node, 'body') ?? [])] })
}

/** What stands for an expression in the program. */
function instrumented(node: unknown): unknown {
  if (!isNode(node)) return node
  const operator = node.type === 'BinaryExpression' ? fieldOf(fieldOf(node, 'operator'), 'value') : null
  const filter = node.type === 'FilterExpression' ? fieldOf(node, 'filter') : null
  if (operator === '+') return new Sum(node, nodeAt(node, 'left'), nodeAt(node, 'right'))
  if (operator === '~') {
    Object.assign(node, { left: asText(fieldOf(node, 'left')), right: asText(fieldOf(node, 'right')) })
  }
  if (TEXT_FILTERS.has(fieldOf(filter, 'value') ?? fieldOf(fieldOf(filter, 'callee'), 'value'))) {
    Object.assign(node, { operand: asText(fieldOf(node, 'operand')) })
  }
  return node
}

function printAsText(node: object, key: string): void {
  const list = bodyOf(node, key)
  list?.forEach((each, at) => {
    if (!STATEMENTS.has(String(fieldOf(each, 'type')))) list[at] = asText(each)
  })
}

function bodyOf(node: object, key: string): unknown[] | null {
  const list = fieldOf(node, key)
  return Array.isArray(list) ? list : null
}

function nodeAt(node: object, key: string): Node {
  const value = fieldOf(node, key)
  return isNode(value) ? value : undefined
}

function fieldOf(node: unknown, key: string): unknown {
  return typeof node === 'object' && node !== null ? Reflect.get(node, key) : undefined
}

function asText(node: unknown): unknown {
  return isNode(node) ? new AsText(node) : node
}

function isNode(node: unknown): node is NonNullable<Node> {
  return typeof fieldOf(node, 'type') === 'string'
}
