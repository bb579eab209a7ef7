// Values of templates as text, as Python's `str` shows them.

/** A value of the interpreter of templates. */
export interface TemplateValue {
  readonly type: string
  readonly value: unknown
}

/** `str(value)`; '' for an undefined value, as in Jinja. */
export function pythonText(value: TemplateValue): string {
  if (value.type === 'StringValue') return String(value.value)
  return value.type === 'UndefinedValue' ? '' : representation(value)
}

/** `repr(value)` */
function representation(value: TemplateValue): string {
  const { value: inner } = value
  switch (value.type) {
    case 'BooleanValue':
      return inner === true ? 'True' : 'False'
    case 'NullValue':
      return 'None'
    case 'UndefinedValue':
      return 'Undefined'
    case 'FloatValue':
      return floatText(Number(inner))
    case 'StringValue':
      return quotedText(String(inner))
    default:
  }
  if (inner instanceof Map) {
    const entries = [...inner].map(([key, each]) => `${quotedText(String(key))}: ${nested(each)}`)
    return `{${entries.join(', ')}}`
  }
  if (!Array.isArray(inner)) return String(inner)
  const items = inner.map(nested).join(', ')
  if (value.type !== 'TupleValue') return `[${items}]`
  return inner.length === 1 ? `(${items},)` : `(${items})`
}

function nested(value: unknown): string {
  return isValue(value) ? representation(value) : String(value)
}

function isValue(value: unknown): value is TemplateValue {
  return typeof value === 'object' && value !== null && 'type' in value && 'value' in value
}

function floatText(value: number): string {
  if (!Number.isFinite(value)) return String(value).toLowerCase().replace('infinity', 'inf')
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
  }
  if (Object.is(value, -0)) return '-0.0'
  return Number.isInteger(value) ? `${value}.0` : String(value)
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
  '\\': '\\\\',
}

function quotedText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text.replace(/[\n\r\t\\'"\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, (character) => {
    if (character === "'" || character === '"') return character === quote ? `\\${character}` : character
    return ESCAPES[character] ?? escaped16(character.codePointAt(0)!)
  })
  return quote + escaped + quote
}

function escaped16(code: number): string {
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`
}
