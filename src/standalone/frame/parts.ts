// Functions that written modules contain: they read rows as users have them. Plain JavaScript of 2015, without dependencies.

/** Ends a call. */
export const REFUSE = `function refuse(message) {
  throw new TypeError(message)
}`

/** Writes the numbers of nested arrays from a place on. Returns the next place. */
export const PUT = `function put(to, value, at, name) {
  if (typeof value === 'number' || typeof value === 'boolean') {
    to[at] = value
    return at + 1
  }
  if (typeof value !== 'object' || value === null) refuse(name + ': expected numbers, received ' + String(value))
  for (let i = 0; i < value.length; i++) {
    const x = value[i]
    if (typeof x === 'number') to[at++] = x
    else at = put(to, x, at, name)
  }
  return at
}
function fill(to, value, name) {
  const count = put(to, value, 0, name)
  if (count !== to.length) refuse(name + ': expected ' + to.length + ' numbers, received ' + count)
}`

/** The strings of one row. */
export const STRINGS = `function stringsIn(value, count, name) {
  const strings = []
  const add = (x) => {
    if (typeof x === 'string') strings.push(x)
    else if (Array.isArray(x)) x.forEach(add)
    else refuse(name + ': expected strings, received ' + String(x))
  }
  add(value)
  if (strings.length !== count) refuse(name + ': expected ' + count + ' strings, received ' + strings.length)
  return strings
}`

/** Whether nested arrays are a batch of rows of a rank; a flat list of one row is a row. */
export const IS_BATCH = `function isBatch(x, rank, size) {
  let depth = 0
  for (let y = x; typeof y === 'object' && y !== null; y = y[0]) depth++
  if (depth === 1 && x.length === size) return false
  if (depth === rank + 1) return true
  if (depth === 1 && ArrayBuffer.isView(x) && x.length > 0 && x.length % size === 0) return true
  if (depth === rank) return false
  return refuse('expected a row of ' + size + ' values, or an array of such rows')
}`
