// Rewrites the text of a module: vectors with four equal lanes that a loop would rebuild in every iteration become
// locals, loaded before the loop from a table in memory. Nothing else changes.
//
// Why: x64 has no instruction for a vector constant. V8 builds one with three instructions (a 64-bit number, its move
// into a vector register, its copy into the upper half), in Node 24 inside the loop. That is most of the work in a
// polynomial of twenty coefficients. A load is one instruction, and the value stays in a register if there is one. tanh
// of 4096 floats, relaxed, Node 24: 1.70 → 0.55 ns each.

const CONSTANT = /^(\s*)v128\.const i32x4 (0x[0-9a-f]{8}) \2 \2 \2$/
/** Constants of a single instruction, where hoisting gains nothing. */
const CHEAP = new Set(['0x00000000', '0xffffffff'])

/** The lanes of all vectors to hoist. @param {string} wat @returns {Set<string>} */
export function hoistedConstants(wat) {
  return new Set(
    functionsOf(wat.split('\n')).flatMap(({ lines }) =>
      loopsOf(lines).flatMap(({ start, end }) => [...constantsOf(lines.slice(start, end))]),
    ),
  )
}

/**
 * @param {string} wat  one instruction per line, as asc writes it
 * @param {readonly string[]} table  lanes, at consecutive words from `address` on
 */
export function hoistConstants(wat, table, address) {
  const lines = wat.split('\n')
  const result = []
  let done = 0
  for (const { start, lines: body } of functionsOf(lines)) {
    result.push(...lines.slice(done, start), ...hoistInFunction(body, table, address))
    done = start + body.length
  }
  result.push(...lines.slice(done))
  const memory = result.findIndex((line) => line.includes('(import "env" "memory"'))
  if (memory < 0) throw new Error('the module imports no memory')
  result.splice(memory + 1, 0, ` (data (i32.const ${address}) "${table.map(littleEndian).join('')}")`)
  return result.join('\n')
}

/** Functions from their first line to the closing parenthesis, which asc indents by one space. */
function functionsOf(lines) {
  const found = []
  for (let start = 0; start < lines.length; start++) {
    if (!lines[start].startsWith(' (func $')) continue
    const end = lines.indexOf(' )', start)
    found.push({ start, lines: lines.slice(start, end + 1) })
    start = end
  }
  return found
}

/** The outermost loops of a function: line numbers of their first and last lines. */
function loopsOf(body) {
  const found = []
  /** The line where each open block began. */
  const open = []
  body.forEach((line, i) => {
    const word = line.trim().split(' ')[0]
    if (word === 'loop' || word === 'block' || word === 'if') open.push({ start: i, isLoop: word === 'loop' })
    if (word !== 'end') return
    const { start, isLoop } = open.pop()
    if (isLoop && !open.some((outer) => outer.isLoop)) found.push({ start, end: i })
  })
  if (open.length !== 0) throw new Error(`${body[0]}: blocks are open at the end`)
  return found
}

function constantsOf(lines) {
  const lanes = lines.flatMap((line) => CONSTANT.exec(line)?.[2] ?? [])
  return new Set(lanes.filter((lane) => !CHEAP.has(lane)))
}

function hoistInFunction(body, table, address) {
  const used = new Set()
  const lines = [...body]
  for (const { start, end } of loopsOf(body)) {
    const lanes = constantsOf(body.slice(start, end))
    const loads = [...lanes].map((lane) => {
      used.add(lane)
      return `  i32.const 0\n  v128.load32_splat offset=${address + 4 * table.indexOf(lane)}\n  local.set $${lane}`
    })
    for (let i = start; i < end; i++) {
      const [, indent, lane] = CONSTANT.exec(body[i]) ?? []
      if (lanes.has(lane)) lines[i] = `${indent}local.get $${lane}`
    }
    lines[start] = [...loads, body[start]].join('\n')
  }
  if (used.size === 0) return body
  const locals = Math.max(1, 1 + body.findLastIndex((line) => line.startsWith('  (local $')))
  lines.splice(locals, 0, ...[...used].map((lane) => `  (local $${lane} v128)`))
  return lines
}

/** Four bytes of a data segment. */
function littleEndian(lane) {
  return lane
    .slice(2)
    .match(/../g)
    .reverse()
    .map((byte) => `\\${byte}`)
    .join('')
}
