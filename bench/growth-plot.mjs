// Draws the sweeps of growth.mjs as one SVG of small multiples: time above, memory below, all axes logarithmic.
// Measures nothing.

const PANEL = { width: 260, height: 190 }
const GAP = { x: 78, y: 74 }
const MARGIN = { left: 74, top: 64, right: 22, bottom: 60 }

const UNITS = {
  time: [
    [1, 's'],
    [1e-3, 'ms'],
    [1e-6, 'µs'],
    [1e-9, 'ns'],
  ],
  bytes: [
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
    [1, 'B'],
  ],
}

/** 1e-5 seconds → `10 µs` */
function label(value, kind) {
  const [scale, unit] = UNITS[kind].find(([least]) => value >= least * 0.999) ?? UNITS[kind].at(-1)
  return `${Math.round(value / scale)} ${unit}`
}

const MEMORY = [
  { key: 'usedBytes', title: 'all memory in use', style: 'c3' },
  { key: 'workspaceBytes', title: 'workspace', style: 'c2' },
  { key: 'lowerBound', title: 'lower bound of the workspace', style: 'bound' },
]

/** @returns {string} the SVG */
export function drawGrowth(sweeps) {
  const columns = sweeps.length
  const width = MARGIN.left + columns * PANEL.width + (columns - 1) * GAP.x + MARGIN.right
  const height = MARGIN.top + 2 * PANEL.height + GAP.y + MARGIN.bottom
  const timeRange = decades(sweeps.flatMap(({ points }) => points.map(({ minMs }) => minMs / 1e3)))
  const byteRange = decades(
    sweeps.flatMap(({ points }) => points.flatMap((point) => MEMORY.map(({ key }) => point[key]))),
  )

  const panels = sweeps.flatMap((sweep, column) => {
    const x = MARGIN.left + column * (PANEL.width + GAP.x)
    const xs = sweep.points.map(({ value }) => value)
    const seconds = sweep.points.map(({ minMs }) => minMs / 1e3)
    const { a, b, power } = sweep.time.fit
    const curve = xs.map((value) => (a + b * value ** power) / 1e3)
    const marked = new Set(sweep.time.cliffs.map(({ at }) => at))
    return [
      panel(
        {
          x,
          y: MARGIN.top,
          xs,
          sweep,
          range: timeRange,
          kind: 'time',
          first: column === 0,
          yTitle: 'one training step',
        },
        (at) => [
          line(xs, curve, at, 'fit'),
          line(xs, seconds, at, 'c1'),
          dots(xs, seconds, at, 'c1'),
          ...xs.map((value, i) => (marked.has(value) ? ring(at(value, seconds[i])) : '')),
        ],
      ),
      panel(
        {
          x,
          y: MARGIN.top + PANEL.height + GAP.y,
          xs,
          sweep,
          range: byteRange,
          kind: 'bytes',
          first: column === 0,
          yTitle: 'memory',
        },
        (at) =>
          MEMORY.flatMap(({ key, style }) => {
            const bytes = sweep.points.map((point) => point[key])
            return [line(xs, bytes, at, style), style === 'bound' ? '' : dots(xs, bytes, at, style)]
          }),
      ),
    ]
  })

  return ascii(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">Time and memory of a training step over batch, width and depth, logarithmic axes</title>
<style>
  svg { --paper: #ffffff; --ink: #1f2328; --soft: #656d76; --grid: #e4e8ec; --c1: #0969da; --c2: #1a7f37; --c3: #9a6700; --alarm: #cf222e }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0d1117; --ink: #e6edf3; --soft: #9198a1; --grid: #262c36; --c1: #58a6ff; --c2: #3fb950; --c3: #d29922; --alarm: #ff7b72 }
  }
  text { font: 11px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: var(--soft) }
  .head { font-size: 13px; font-weight: 600; fill: var(--ink) }
  .paper { fill: var(--paper) }
  .grid { stroke: var(--grid); fill: none }
  .frame { stroke: var(--soft); fill: none }
  .line { fill: none; stroke-width: 1.8; stroke-linejoin: round }
  .c1 { stroke: var(--c1) } .c2 { stroke: var(--c2) } .c3 { stroke: var(--c3) }
  .dot { stroke: none } .dot.c1 { fill: var(--c1) } .dot.c2 { fill: var(--c2) } .dot.c3 { fill: var(--c3) }
  .fit { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 3 }
  .bound { stroke: var(--ink); stroke-width: 1.2; stroke-dasharray: 5 3 }
  .ring { fill: none; stroke: var(--alarm); stroke-width: 1.6 }
</style>
<rect class="paper" width="${width}" height="${height}" rx="6"/>
${legend()}
${panels.join('\n')}
</svg>
`)
}

/** XML in ASCII, so that a page without a charset shows µ. */
function ascii(xml) {
  return xml.replace(/[^\0-\x7f]/gu, (each) => `&#x${each.codePointAt(0).toString(16)};`)
}

function legend() {
  const entries = [
    { style: 'c1', title: 'one training step, measured' },
    { style: 'fit', title: 'fitted line (width: square)' },
    ...MEMORY,
  ]
  let x = MARGIN.left
  const parts = entries.map(({ style, title }) => {
    const part = `<path class="line ${style}" d="M${x} 22h24"/><text x="${x + 30}" y="26">${title}</text>`
    x += 52 + 6.1 * title.length
    return part
  })
  return `<g>${parts.join('')}</g>`
}

/** Whole decades around all values. */
function decades(values) {
  return [10 ** Math.floor(Math.log10(Math.min(...values))), 10 ** Math.ceil(Math.log10(Math.max(...values)))]
}

function panel({ x, y, xs, sweep, range, kind, first, yTitle }, draw) {
  const { width, height } = PANEL
  const scale = (value, [low, high], length) => (Math.log(value / low) / Math.log(high / low)) * length
  const domain = [xs[0], xs.at(-1)]
  const pad = 8
  const at = (value, result) => [
    x + pad + scale(value, domain, width - 2 * pad),
    y + height - scale(result, range, height),
  ]
  const parts = []
  for (let tick = range[0]; tick <= range[1] * 1.001; tick *= 10) {
    const [, ty] = at(xs[0], tick)
    parts.push(
      `<path class="grid" d="M${x} ${round(ty)}h${width}"/><text x="${x - 8}" y="${round(ty + 4)}" text-anchor="end">${label(tick, kind)}</text>`,
    )
  }
  // Powers of two; every second or third if there are many.
  const powers = xs.filter((value) => Number.isInteger(Math.log2(value)))
  const every = Math.ceil(powers.length / 7)
  powers.forEach((value, i) => {
    if ((powers.length - 1 - i) % every !== 0) return
    const [tx] = at(value, range[0])
    parts.push(
      `<path class="grid" d="M${round(tx)} ${y}v${height}"/><text x="${round(tx)}" y="${y + height + 16}" text-anchor="middle">${value}</text>`,
    )
  })
  parts.push(`<rect class="frame" x="${x}" y="${y}" width="${width}" height="${height}"/>`)
  parts.push(
    `<text x="${x + width / 2}" y="${y + height + 34}" text-anchor="middle">${sweep.name} (${sweep.unit})</text>`,
  )
  parts.push(`<text class="head" x="${x}" y="${y - 10}">${yTitle} over ${sweep.name}</text>`)
  if (first)
    parts.push(
      `<text transform="translate(${x - 58} ${y + height / 2}) rotate(-90)" text-anchor="middle">${kind === 'time' ? 'time' : 'bytes'}</text>`,
    )
  return `<g>${[...parts, ...draw(at)].join('\n')}</g>`
}

function line(xs, ys, at, style) {
  return `<path class="line ${style}" d="M${xs.map((x, i) => at(x, ys[i]).map(round).join(' ')).join('L')}"/>`
}

function dots(xs, ys, at, style) {
  return xs
    .map((x, i) => [x, ys[i]])
    .map(([x, y]) => at(x, y).map(round))
    .map(([cx, cy]) => `<circle class="dot ${style}" cx="${cx}" cy="${cy}" r="2.2"/>`)
    .join('')
}

function ring([cx, cy]) {
  return `<circle class="ring" cx="${round(cx)}" cy="${round(cy)}" r="6"/>`
}

function round(value) {
  return Math.round(value * 10) / 10
}
