// Curves by uPlot, which draws on a canvas of the size of its container.

import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useStore } from './store'
import { classColour, css, isDark, palette } from './theme'

export interface Line {
  readonly name: string
  /** The position of its colour in the palette. */
  readonly colour: number
  readonly dash?: readonly number[]
}

export type Numbers = readonly (number | null)[]
/** The common x of all lines, then the lines. */
export type Data = readonly [readonly number[], ...Numbers[]]

const aligned = ([x, ...lines]: Data): uPlot.AlignedData => [[...x], ...lines.map((line) => [...line])]

/** Lines with different x. */
export function joined(a: Data, b: Data): Data {
  return uPlot.join([aligned(a), aligned(b)]) as [number[], ...Numbers[]]
}

export function Chart(props: {
  readonly label: string
  readonly lines: readonly Line[]
  readonly data: Data
  readonly height: number
  readonly range?: readonly [number, number]
  readonly xLabel?: string
}) {
  const { label, lines, data, height, range } = props
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const dark = useStore(isDark)
  const names = lines.map(({ name }) => name).join()
  useEffect(() => {
    const element = host.current!
    plot.current = new uPlot(optionsOf(lines, element.clientWidth, height, range), aligned(data), element)
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.current?.destroy()
      plot.current = null
    }
  }, [names, dark, height])
  useEffect(() => plot.current?.setData(aligned(data)), [data])
  return <div ref={host} class="chart" role="img" aria-label={label} style={{ height: `${height}px` }} />
}

/** The range that uPlot chooses, and a fixed one while there are no numbers, so that axes are drawn. */
const rangeOf: uPlot.Range.Function = (_plot, low, high) =>
  low == null ? [0, 1] : (uPlot.rangeNum(low, high, 0.1, true) as [number, number])

function optionsOf(
  lines: readonly Line[],
  width: number,
  height: number,
  range?: readonly [number, number],
): uPlot.Options {
  const { soft, line } = palette()
  const font = '12px system-ui, sans-serif'
  const axis = { stroke: soft, font, grid: { stroke: line, width: 1 }, ticks: { show: false } }
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    padding: [8, 8, 0, 0],
    scales: {
      // Axes are drawn before there are numbers, too.
      x: { time: false, range: (_plot, low, high) => (low == null || low === high ? [0, 10] : [low, high]) },
      y: { range: range === undefined ? rangeOf : [...range] },
    },
    axes: [
      { ...axis, size: 28, space: 60 },
      { ...axis, size: 48, space: 34 },
    ],
    series: [
      {},
      ...lines.map(({ name, colour, dash }) => ({
        label: name,
        stroke: css(classColour(colour)),
        width: 2,
        spanGaps: true,
        // A line needs two points.
        points: { show: (plot: uPlot) => plot.data[0].length === 1 },
        ...(dash === undefined ? {} : { dash: [...dash] }),
      })),
    ],
  }
}

/** The names of lines with their last numbers. */
export function Legend({ lines, values }: { readonly lines: readonly Line[]; readonly values: readonly string[] }) {
  useStore(isDark)
  return (
    <ul class="legend">
      {lines.map(({ name, colour, dash }, i) => (
        <li key={name}>
          <span class={dash === undefined ? 'key' : 'key dashed'} style={{ borderColor: css(classColour(colour)) }} />
          {name} <b>{values[i]}</b>
        </li>
      ))}
    </ul>
  )
}
