// Makes two binaries from the relaxed one that differ only in their relaxed instructions, byte for byte at the same
// offsets. The package contains the plain one; src/engine/runtime/wasm/fuse.ts makes the other from it if the engine has
// fused instructions.
//
//   [a b c] f32x4.relaxed_madd, nops   ⇄   [a b c] local.set t, f32x4.mul, local.get t, f32x4.add
//
// Neither the locals nor the nops remain in optimised code.

const [SET, GET, DROP, NOP] = [0x21, 0x20, 0x1a, 0x01]
const VECTOR = 0x7b

/** The instructions in both binaries. 't' and 'u' are locals. */
const FORMS = [
  // f32x4: a·b + c
  { relaxed: [0xfd, 0x85, 0x02], plain: [SET, 't', 0xfd, 0xe6, 0x01, GET, 't', 0xfd, 0xe4, 0x01] },
  // f32x4: c − a·b
  { relaxed: [0xfd, 0x86, 0x02], plain: [SET, 't', 0xfd, 0xe6, 0x01, SET, 'u', GET, 't', GET, 'u', 0xfd, 0xe5, 0x01] },
  // f64x2: a·b + c
  { relaxed: [0xfd, 0x87, 0x02], plain: [SET, 't', 0xfd, 0xf2, 0x01, GET, 't', 0xfd, 0xf0, 0x01] },
  // Products of bytes: the plain binary has no fast equivalent and uses another path (Bytes.None). drop, drop,
  // i32x4.neg
  { relaxed: [0xfd, 0x93, 0x02], plain: [DROP, DROP, 0xfd, 0xa1, 0x01] },
  // Sums of two products of bytes, likewise. drop, i16x8.neg
  { relaxed: [0xfd, 0x92, 0x02], plain: [DROP, 0xfd, 0x81, 0x01] },
  // i32x4: float32 → int32; the saturating instruction, marked by nops
  { relaxed: [0xfd, 0x81, 0x02], plain: [NOP, NOP, 0xfd, 0xf8, 0x01] },
]

/** For the reverse direction: [plain, relaxed] with −1 for locals. */
export const fusions = FORMS.map(({ relaxed, plain }) => [
  plain.map((byte) => (typeof byte === 'string' ? -1 : byte)),
  [...relaxed, ...new Array(plain.length - relaxed.length).fill(NOP)],
])

/** @param {Uint8Array} binary @returns {{ plain: Uint8Array, relaxed: Uint8Array }} */
export function splitMultiplyAdds(binary) {
  const parameters = parameterCounts(binary)
  const write = (isPlain) => {
    const out = [...binary.subarray(0, 8)]
    for (const { id, start, end } of sections(binary)) {
      const content = id === CODE ? codeSection(binary, start, parameters, isPlain) : [...binary.subarray(start, end)]
      out.push(id, ...leb(content.length))
      append(out, content)
    }
    return Uint8Array.from(out)
  }
  return { plain: write(true), relaxed: write(false) }
}

// A call cannot take as many arguments as a section has bytes.
function append(out, bytes) {
  for (const byte of bytes) out.push(byte)
}

function codeSection(binary, start, parameters, isPlain) {
  const [count, first] = readLeb(binary, start)
  const out = leb(count)
  for (let i = 0, position = first; i < count; i++) {
    const [length, body] = readLeb(binary, position)
    position = body + length
    const code = functionBody(binary, body, position, parameters[i], isPlain)
    out.push(...leb(code.length))
    append(out, code)
  }
  return out
}

// body := groups of locals (count, type)*, instructions
function functionBody(binary, start, end, parameterCount, isPlain) {
  let [groups, position] = readLeb(binary, start)
  const locals = []
  let t = parameterCount
  for (; groups > 0; groups--) {
    const [count, type] = readLeb(binary, position)
    locals.push([count, binary[type]])
    t += count
    position = type + 1
  }
  const names = { t, u: t + 1 }
  const instructions = []
  let isChanged = false
  while (position < end) {
    const next = afterInstruction(binary, position)
    const bytes = [...binary.subarray(position, next)]
    const form = FORMS.findIndex(
      ({ relaxed }) => relaxed.length === bytes.length && relaxed.every((byte, i) => byte === bytes[i]),
    )
    if (form < 0) instructions.push(...bytes)
    else {
      isChanged = true
      instructions.push(...(isPlain ? FORMS[form].plain.map((byte) => names[byte] ?? byte) : fusions[form][1]))
    }
    position = next
  }
  if (isChanged) locals.push([2, VECTOR])
  if (names.u > 127) throw new Error(`a function has ${names.u} locals: the number would take more than a byte`)
  return [...leb(locals.length), ...locals.flatMap(([count, type]) => [...leb(count), type]), ...instructions]
}

const TYPES = 1
const FUNCTIONS = 3
const CODE = 10

/** The number of parameters of each function. */
function parameterCounts(binary) {
  const found = sections(binary)
  const startOf = (wanted) => found.find(({ id }) => id === wanted).start
  const ofTypes = []
  let [count, position] = readLeb(binary, startOf(TYPES))
  for (; count > 0; count--) {
    // 0x60, parameters, results
    const [parameters, from] = readLeb(binary, position + 1)
    const [results, last] = readLeb(binary, from + parameters)
    ofTypes.push(parameters)
    position = last + results
  }
  const counts = []
  ;[count, position] = readLeb(binary, startOf(FUNCTIONS))
  for (; count > 0; count--) {
    let type
    ;[type, position] = readLeb(binary, position)
    counts.push(ofTypes[type])
  }
  return counts
}

/** The end of the instruction at `position`. */
function afterInstruction(binary, position) {
  const opcode = binary[position++]
  const skip = (from, count) => {
    for (; count > 0; count--) [, from] = readLeb(binary, from)
    return from
  }
  const between = (low, high) => opcode >= low && opcode <= high
  if (opcode === 0x0e || opcode === 0x1c) {
    // br_table has one label more than its count; select with types
    const [count, from] = readLeb(binary, position)
    return skip(from, opcode === 0x0e ? count + 1 : count)
  }
  // blocks, branches, call, variables, memory.size and grow, integer constants
  if (between(0x02, 0x04) || between(0x0c, 0x0d) || opcode === 0x10 || between(0x20, 0x26) || between(0x3f, 0x42))
    return skip(position, 1)
  // call_indirect, loads and stores
  if (opcode === 0x11 || between(0x28, 0x3e)) return skip(position, 2)
  if (opcode === 0x43) return position + 4
  if (opcode === 0x44) return position + 8
  if (!between(0xfc, 0xfe)) return position
  const [code, from] = readLeb(binary, position)
  const within = (low, high) => code >= low && code <= high
  // memory.init and copy; fill
  if (opcode === 0xfc) return skip(from, code === 8 || code === 10 ? 2 : code === 9 || code === 11 ? 1 : 0)
  // atomic.fence; atomic loads and stores
  if (opcode === 0xfe) return code === 3 ? from + 1 : skip(from, 2)
  if (within(0, 11) || within(92, 93)) return skip(from, 2) // loads and stores
  if (within(12, 13)) return from + 16 // v128.const, shuffle
  if (within(21, 34)) return from + 1 // lanes
  if (within(84, 91)) return skip(from, 2) + 1 // loads and stores of lanes
  return from
}

// module := magic(4) version(4) section*; section := id(1) byteLength(LEB128) content
export function sections(binary) {
  const found = []
  let position = 8
  while (position < binary.length) {
    const id = binary[position]
    const [length, start] = readLeb(binary, position + 1)
    position = start + length
    found.push({ id, start, end: position })
  }
  return found
}

/** An unsigned LEB128 number, and the position after it. */
function readLeb(bytes, position) {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[position++]
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return [value, position]
  }
}

function leb(value) {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)]
}
