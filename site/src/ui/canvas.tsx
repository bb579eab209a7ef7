// Canvases: small pictures of pixels, and the plane with its points.

import { useEffect, useMemo, useRef } from 'preact/hooks'
import type { Form, Part } from '../data/form'
import { PLANE } from '../data/points'
import type { Surface } from '../worker/protocol'
import { diverging, fill, surfacePixels } from './paint'
import { useStore } from './store'
import { classColour, css, isDark, palette } from './theme'

/** A picture of pixels at the size of its place. Without a label it is decoration. */
export function Pixels(props: {
  readonly image: () => ImageData
  readonly label: string
  readonly isSmooth?: boolean
  readonly class?: string
}) {
  const { image, label, isSmooth = false } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  useStore(isDark)
  useEffect(() => {
    const made = image()
    const element = canvas.current!
    if (element.width !== made.width || element.height !== made.height) {
      element.width = made.width
      element.height = made.height
    }
    element.getContext('2d')!.putImageData(made, 0, 0)
  })
  const aria = label === '' ? { 'aria-hidden': true } : ({ role: 'img', 'aria-label': label } as const)
  return (
    <canvas
      ref={canvas}
      {...aria}
      class={`${isSmooth ? 'smooth' : 'sharp'} ${props.class ?? ''}`}
      width={1}
      height={1}
    />
  )
}

const SIDE = 720
const place = (value: number): number => ((value - PLANE.low) / (PLANE.high - PLANE.low)) * SIDE

/** The answers in the plane, with the rows of data as points: filled for training, rings for testing. */
export function Plane(props: {
  readonly form: Form
  readonly train: Part
  readonly test: Part
  readonly surface: Surface | null
  readonly label: string
  readonly chosen?: Float32Array | null
  readonly onPoint?: (x: number, y: number) => void
}) {
  const { form, train, test, surface, label, chosen = null, onPoint } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  const dark = useStore(isDark)
  // Points take longer to draw than the rest of a frame, and do not move, so they are drawn once.
  const points = useMemo(() => pointsOf(form, train, test), [form, train, test, dark])
  useEffect(() => {
    const context = canvas.current!.getContext('2d')!
    context.fillStyle = css(palette().paper)
    context.fillRect(0, 0, SIDE, SIDE)
    if (surface !== null) fill(context, surfacePixels(surface, form.task), true)
    context.drawImage(points, 0, 0)
    if (chosen !== null) drawChosen(context, chosen)
  }, [form, points, surface, chosen])
  return (
    <canvas
      ref={canvas}
      class={onPoint === undefined ? 'plane' : 'plane clickable'}
      width={SIDE}
      height={SIDE}
      role="img"
      aria-label={label}
      onClick={(event) => {
        const box = event.currentTarget.getBoundingClientRect()
        const at = (share: number): number => PLANE.low + share * (PLANE.high - PLANE.low)
        onPoint?.(at((event.clientX - box.left) / box.width), at(1 - (event.clientY - box.top) / box.height))
      }}
    />
  )
}

/** The axes and the rows of data as a picture without a background. */
function pointsOf(form: Form, train: Part, test: Part): ImageBitmap {
  const canvas = new OffscreenCanvas(SIDE, SIDE)
  const context = canvas.getContext('2d')!
  drawAxes(context)
  drawPoints(context, form, train, true)
  drawPoints(context, form, test, false)
  return canvas.transferToImageBitmap()
}

function drawAxes(context: OffscreenCanvasRenderingContext2D): void {
  context.strokeStyle = css(isDark.value ? [255, 255, 255] : [0, 0, 0], 0.12)
  context.lineWidth = 1.5
  context.beginPath()
  for (const value of [-1, 0, 1]) {
    context.moveTo(place(value), 0)
    context.lineTo(place(value), SIDE)
    context.moveTo(0, place(value))
    context.lineTo(SIDE, place(value))
  }
  context.stroke()
}

function drawPoints(
  context: OffscreenCanvasRenderingContext2D,
  { task }: Form,
  { x, y, rows }: Part,
  isTrained: boolean,
): void {
  const colours = palette()
  const radius = rows > 600 ? 4.5 : 6.5
  for (let row = 0; row < rows; row++) {
    const colour = task.kind === 'classes' ? classColour(y[row]!) : diverging(y[row]!, colours)
    context.beginPath()
    context.arc(place(x[2 * row]!), SIDE - place(x[2 * row + 1]!), radius, 0, 2 * Math.PI)
    const isClass = task.kind === 'classes'
    context.fillStyle = css(isTrained || !isClass ? colour : colours.paper)
    context.fill()
    context.lineWidth = isTrained ? 1.5 : 3
    context.strokeStyle = isClass ? css(isTrained ? colours.paper : colour) : colours.soft
    context.stroke()
  }
}

function drawChosen(context: CanvasRenderingContext2D, [x = 0, y = 0]: Float32Array): void {
  context.lineWidth = 3
  context.strokeStyle = palette().ink
  context.beginPath()
  context.arc(place(x), SIDE - place(y), 13, 0, 2 * Math.PI)
  context.moveTo(place(x) - 22, SIDE - place(y))
  context.lineTo(place(x) + 22, SIDE - place(y))
  context.moveTo(place(x), SIDE - place(y) - 22)
  context.lineTo(place(x), SIDE - place(y) + 22)
  context.stroke()
}
