// Places the nodes of a directed graph in rows, so that every arrow goes down (Sugiyama et al. 1981): rows by the longest
// path, order by the mean of the neighbours, then places. Arrows over several rows get a place in each of them.

export interface Sized {
  readonly width: number
  readonly height: number
}

export interface Placed {
  /** The middle of each node's upper edge. */
  readonly places: readonly { readonly x: number; readonly y: number }[]
  /** For each arrow the points that it passes, from the lower edge of a node to the upper edge of another. */
  readonly routes: readonly (readonly (readonly [x: number, y: number])[])[]
  readonly width: number
  readonly height: number
}

type Edge = readonly [from: number, to: number]

interface Box {
  readonly width: number
  readonly height: number
  x: number
  readonly above: Box[]
  readonly below: Box[]
}

const GAP = { x: 28, y: 34 }
const SWEEPS = 8

/** The row of each node: below all its sources. A node without sources is right above its first reader. */
function rowsOf(count: number, edges: readonly Edge[]): number[] {
  const rows = Array.from({ length: count }, () => 0)
  const inOrder = [...edges].sort((a, b) => a[1] - b[1])
  for (const [from, to] of inOrder) rows[to] = Math.max(rows[to]!, rows[from]! + 1)
  const read = new Set(edges.map(([, to]) => to))
  rows.forEach((_, node) => {
    const readers = edges.filter(([from]) => from === node).map(([, to]) => rows[to]!)
    if (!read.has(node) && readers.length > 0) rows[node] = Math.min(...readers) - 1
  })
  return rows
}

const mean = (boxes: readonly Box[], otherwise: number): number =>
  boxes.length === 0 ? otherwise : boxes.reduce((sum, { x }) => sum + x, 0) / boxes.length

/** Moves the boxes of a row near to the places that they wish, in order and without overlaps. */
function settle(row: readonly Box[], wishes: readonly number[]): void {
  const reach = (a: Box, b: Box): number => (a.width + b.width) / 2 + GAP.x
  // Left to right gives places that may lie too far to the right, right to left those too far to the left.
  const right = [...wishes]
  for (let i = 1; i < row.length; i++) right[i] = Math.max(wishes[i]!, right[i - 1]! + reach(row[i - 1]!, row[i]!))
  const left = [...wishes]
  for (let i = row.length - 2; i >= 0; i--) left[i] = Math.min(wishes[i]!, left[i + 1]! - reach(row[i]!, row[i + 1]!))
  row.forEach((box, i) => (box.x = (left[i]! + right[i]!) / 2))
}

/** @param edges from a node to one with a higher number */
export function placeInRows(nodes: readonly Sized[], edges: readonly Edge[]): Placed {
  const rowOf = rowsOf(nodes.length, edges)
  const rows: Box[][] = Array.from({ length: Math.max(0, ...rowOf) + 1 }, () => [])
  const boxIn = (row: number, size: Sized): Box => {
    const box: Box = { ...size, x: rows[row]!.length * 10, above: [], below: [] }
    rows[row]!.push(box)
    return box
  }
  const boxes = nodes.map(({ width, height }, i) => boxIn(rowOf[i]!, { width, height }))
  const paths = edges.map(([from, to]) => {
    const path = [boxes[from]!]
    for (let row = rowOf[from]! + 1; row < rowOf[to]!; row++) path.push(boxIn(row, { width: 8, height: 0 }))
    path.push(boxes[to]!)
    path.slice(1).forEach((box, i) => {
      box.above.push(path[i]!)
      path[i]!.below.push(box)
    })
    return path
  })
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const isDown = sweep % 2 === 0
    for (const row of isDown ? rows : rows.toReversed()) {
      const wishes = new Map(row.map((box) => [box, mean(isDown ? box.above : box.below, box.x)]))
      row.sort((a, b) => wishes.get(a)! - wishes.get(b)!)
      settle(
        row,
        row.map((box) => wishes.get(box)!),
      )
    }
  }
  const all = rows.flat()
  const least = Math.min(0, ...all.map(({ x, width }) => x - width / 2))
  const heights = rows.map((row) => Math.max(0, ...row.map(({ height }) => height)))
  const tops = heights.map((_, i) => heights.slice(0, i).reduce((sum, height) => sum + height + GAP.y, 0))
  const topOf = new Map(rows.flatMap((row, i) => row.map((box) => [box, i] as const)))
  for (const box of all) box.x -= least
  return {
    places: boxes.map((box) => ({ x: box.x, y: tops[topOf.get(box)!]! })),
    routes: paths.map((path) =>
      path.flatMap((box, i) => {
        const [top, row] = [tops[topOf.get(box)!]!, topOf.get(box)!]
        const lower = i === 0 ? top + box.height : top + heights[row]!
        if (i === 0) return [[box.x, lower] as const]
        return i === path.length - 1 ? [[box.x, top] as const] : [[box.x, top] as const, [box.x, lower] as const]
      }),
    ),
    width: Math.max(0, ...all.map(({ x, width }) => x + width / 2)),
    height: tops.at(-1)! + heights.at(-1)!,
  }
}
