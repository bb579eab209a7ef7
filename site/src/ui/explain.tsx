// The tab Explain: the reasons for the model's answer for one row.

import { useEffect, useRef, useState } from 'preact/hooks'
import { sizeOf, type Form } from '../data/form'
import { PLANE } from '../data/points'
import type { Reasons } from '../worker/protocol'
import { Pixels, Plane } from './canvas'
import { Button, NumberInput, Slider, percent, short } from './fields'
import { imagePixels, matrixPixels } from './paint'
import { session } from './session'
import { useStore } from './store'
import { classColour, css, isDark } from './theme'

const THUMBNAILS = 24

export function Explain() {
  const described = useStore(session.described)
  const run = useStore(session.run)
  const frame = useStore(session.frame)
  const selected = useStore(session.chosen)
  const [reasons, setReasons] = useState<Reasons | null>(null)
  const width = described === null ? 0 : sizeOf(described.form.inputShape)
  const row = selected ?? described?.test.x.slice(0, width) ?? null
  const epoch = frame?.epoch ?? -1
  const asking = useRef(false)
  useEffect(() => {
    if (row === null || row.length === 0 || frame === null || asking.current) return
    asking.current = true
    void session.ask('explain', { row }).then((answer) => {
      asking.current = false
      if (answer !== null) setReasons(answer)
    })
  }, [selected, run, epoch])
  if (described === null || row === null || row.length === 0) return <div class="waiting" aria-busy="true" />
  const { form, train, test } = described
  const choose = (values: Float32Array): void => session.chosen.set(values)
  return (
    <div class="explain">
      <section class="card" aria-label="The row to explain">
        <header>
          <h2>{form.kind === 'plane' ? 'A place in the plane' : form.kind === 'image' ? 'An image' : 'A row'}</h2>
        </header>
        {form.kind === 'plane' && (
          <>
            <Plane
              form={form}
              train={train}
              test={test}
              surface={frame?.surface ?? null}
              chosen={row}
              label="The answers of the model in the plane, with the place that is explained"
              onPoint={(x, y) => choose(Float32Array.of(x, y))}
            />
            <div class="pair">
              {['x', 'y'].map((name, i) => (
                <Slider
                  key={name}
                  label={name}
                  title={`The coordinate ${name} of the place`}
                  value={Number(row[i]!.toFixed(2))}
                  min={PLANE.low}
                  max={PLANE.high}
                  step={0.01}
                  onInput={(value) => choose(Float32Array.from(row, (each, j) => (i === j ? value : each)))}
                />
              ))}
            </div>
          </>
        )}
        {form.kind === 'image' && <Images form={form} test={test.x} row={row} onChoose={choose} />}
        {form.kind === 'table' && <Cells form={form} test={test.x} rows={test.rows} row={row} onChoose={choose} />}
      </section>
      <section class="card" aria-label="Why">
        {reasons !== null && reasons.gradients.length === row.length && <Why form={form} reasons={reasons} row={row} />}
      </section>
    </div>
  )
}

function Why({ form, reasons, row }: { readonly form: Form; readonly reasons: Reasons; readonly row: Float32Array }) {
  const { answer, unit, value, base, gradients, shapley } = reasons
  const { task } = form
  const name = task.kind === 'classes' ? task.names[unit ?? 0]! : task.name
  const likely = task.kind === 'classes' ? answer.indexOf(Math.max(...answer)) : -1
  return (
    <>
      <header>
        <h2>
          {task.kind === 'classes' ? `The answer is ${task.names[likely]}` : `The answer is ${short(answer[0]!)}`}
        </h2>
      </header>
      {task.kind === 'classes' && <Bars values={answer} names={task.names} isShare />}
      <p class="soft">
        {task.kind === 'classes' ? `The share of ${name}` : name} is {short(value)} here and {short(base)} for{' '}
        {form.kind === 'image' ? 'a black image' : 'the mean row'}. The inputs explain the difference:
      </p>
      {form.kind === 'image' ? (
        <figure class="heat">
          <Pixels label="The image" image={() => imagePixels(row, form.inputShape)} />
          <Pixels
            label="What each pixel contributes"
            image={() => matrixPixels(perPixel(gradients, form.inputShape), form.inputShape[1]!, form.inputShape[0]!)}
          />
          <figcaption>Orange pixels speak for {name}, blue ones against it (integrated gradients).</figcaption>
        </figure>
      ) : (
        <>
          <h3>Integrated gradients</h3>
          <Bars values={gradients} names={form.columns} />
          {shapley !== null && (
            <>
              <h3>Shapley values, against 50 training rows</h3>
              <Bars values={shapley} names={form.columns} />
            </>
          )}
        </>
      )}
    </>
  )
}

function perPixel(values: Float32Array, [height = 1, width = 1, channels = 1]: readonly number[]): number[] {
  return Array.from({ length: height * width }, (_, i) =>
    values.subarray(i * channels, (i + 1) * channels).reduce((sum, each) => sum + each, 0),
  )
}

/** +0.468, −0.146, and 0.000 without a sign */
function signed(value: number): string {
  const digits = Math.abs(value).toFixed(3)
  return `${Number(digits) === 0 ? '' : value < 0 ? '−' : '+'}${digits}`
}

function Bars({
  values,
  names,
  isShare = false,
}: {
  readonly values: ArrayLike<number>
  readonly names: readonly string[]
  readonly isShare?: boolean
}) {
  useStore(isDark)
  const all = Array.from(values)
  const most = isShare ? 1 : Math.max(1e-9, ...all.map(Math.abs))
  return (
    <ul class={isShare ? 'bars share' : 'bars'}>
      {all.map((value, i) => (
        <li key={names[i]}>
          <span class="name" title={names[i]}>
            {names[i]}
          </span>
          <span class="track">
            <span
              class={value < 0 ? 'bar less' : 'bar'}
              style={{
                width: `${((isShare ? 100 : 50) * Math.abs(value)) / most}%`,
                backgroundColor: css(classColour(isShare ? i : value < 0 ? 0 : 1)),
              }}
            />
          </span>
          <span class="value">{isShare ? percent(value) : signed(value)}</span>
        </li>
      ))}
    </ul>
  )
}

function Images({
  form,
  test,
  row,
  onChoose,
}: {
  readonly form: Form
  readonly test: Float32Array
  readonly row: Float32Array
  readonly onChoose: (row: Float32Array) => void
}) {
  const size = sizeOf(form.inputShape)
  const count = Math.min(THUMBNAILS, test.length / size)
  return (
    <>
      <ul class="thumbnails">
        {Array.from({ length: count }, (_, i) => {
          const pixels = test.subarray(i * size, (i + 1) * size)
          return (
            <li key={i}>
              <button
                type="button"
                title={`Explains test image ${i + 1}`}
                aria-label={`Test image ${i + 1}`}
                onClick={() => onChoose(pixels.slice())}
              >
                <Pixels label="" image={() => imagePixels(pixels, form.inputShape)} />
              </button>
            </li>
          )
        })}
      </ul>
      {form.inputShape[2] === 1 && (
        <>
          <h3>Or draw one</h3>
          <Pad shape={form.inputShape} row={row} onDraw={onChoose} />
        </>
      )}
    </>
  )
}

/** A pad of large pixels. */
function Pad({
  shape,
  row,
  onDraw,
}: {
  readonly shape: readonly number[]
  readonly row: Float32Array
  readonly onDraw: (row: Float32Array) => void
}) {
  const [height = 1, width = 1] = shape
  const ink = useRef(new Float32Array(height * width))
  const draw = (event: PointerEvent & { currentTarget: HTMLElement }): void => {
    const box = event.currentTarget.getBoundingClientRect()
    const [x, y] = [
      ((event.clientX - box.left) / box.width) * width - 0.5,
      ((event.clientY - box.top) / box.height) * height - 0.5,
    ]
    for (let i = 0; i < ink.current.length; i++) {
      const distance = Math.hypot((i % width) - x, Math.floor(i / width) - y)
      ink.current[i] = Math.max(ink.current[i]!, Math.min(1, Math.max(0, 1.35 - distance)))
    }
    onDraw(ink.current.slice())
  }
  return (
    <div class="pad">
      <div
        class="sheet"
        title="Draw with the pointer"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          draw(event)
        }}
        onPointerMove={(event) => {
          if (event.buttons > 0) draw(event)
        }}
      >
        <Pixels label="The drawing" image={() => imagePixels(row, shape)} />
      </div>
      <Button
        title="Begins with an empty sheet"
        onClick={() => {
          ink.current.fill(0)
          onDraw(ink.current.slice())
        }}
      >
        Clear
      </Button>
    </div>
  )
}

function Cells(props: {
  readonly form: Form
  readonly test: Float32Array
  readonly rows: number
  readonly row: Float32Array
  readonly onChoose: (row: Float32Array) => void
}) {
  const { form, test, rows, row, onChoose } = props
  const [at, setAt] = useState(0)
  const width = form.columns.length
  return (
    <>
      <Slider
        label="test row"
        title="The row that is explained"
        value={at + 1}
        min={1}
        max={rows}
        step={1}
        onInput={(value) => {
          setAt(value - 1)
          onChoose(test.slice((value - 1) * width, value * width))
        }}
      />
      <ul class="cells">
        {form.columns.map((name, i) => (
          <li key={name}>
            <span title={name}>{name}</span>
            <NumberInput
              label={name}
              title={`Changes ${name} of this row`}
              value={Number(row[i]!.toPrecision(5))}
              min={-1e9}
              max={1e9}
              step={0.1}
              onChange={(value) => onChoose(Float32Array.from(row, (each, j) => (i === j ? value : each)))}
            />
          </li>
        ))}
      </ul>
    </>
  )
}
