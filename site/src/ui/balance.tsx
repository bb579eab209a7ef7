// The tab Balance: smaller models with their accuracy, size and speed; and a stream that drifts.

import { counted } from '../model/words'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Measured, StreamPoint } from '../worker/protocol'
import { Chart, Legend, type Line } from './chart'
import { Button, Check, Slider, percent, short } from './fields'
import { session } from './session'
import { useStore } from './store'

type Action = 'prune' | 'quantize' | 'distil' | 'regenerate' | 'adopt'

export function Balance() {
  const described = useStore(session.described)
  const run = useStore(session.run)
  const [rows, setRows] = useState<readonly Measured[]>([])
  const [doing, setDoing] = useState<Action | null>(null)
  const [keep, setKeep] = useState(0.5)
  const [share, setShare] = useState(0.25)
  const [note, setNote] = useState('')
  useEffect(() => {
    setRows([])
    setNote('')
    void session.ask('measure', null).then((now) => now !== null && setRows([now]))
  }, [run])
  if (described === null) return <div class="waiting" aria-busy="true" />

  const act = async (action: Action, body: () => Promise<readonly Measured[] | null>): Promise<void> => {
    session.pause()
    setDoing(action)
    const now = await session.ask('measure', null)
    const made = await body()
    setRows((before) => {
      const first = now === null ? before.slice(0, 1) : [now]
      const others = before.slice(1).filter(({ label }) => made?.every((each) => each.label !== label) ?? true)
      return [...first, ...others, ...(made ?? [])]
    })
    setDoing(null)
  }
  const regenerate = async (): Promise<readonly Measured[] | null> => {
    const answer = await session.ask('regenerate', null)
    if (answer === null) return null
    setNote(
      answer.renewed === 0
        ? 'No unit was dormant, so none was renewed.'
        : `${counted(answer.renewed, 'unit')} began again.`,
    )
    return [answer.measured]
  }
  const adopt = async (label: string): Promise<void> => {
    setDoing('adopt')
    const layers = await session.ask('adopt', { label })
    const now = await session.ask('measure', null)
    if (layers !== null) session.adoptLayers(layers)
    if (now !== null) setRows([now])
    setNote('Training goes on with this model.')
    setDoing(null)
  }
  const isBusy = doing !== null
  return (
    <div class="stack">
      <section class="card" aria-label="Smaller models" aria-busy={isBusy}>
        <h2>Make it smaller</h2>
        <div class="actions">
          <div>
            <Slider
              label="keep of the units"
              title="The share of the units of each layer that stays"
              value={keep}
              min={0.1}
              max={0.9}
              step={0.1}
              text={`${Math.round(100 * keep)} %`}
              onInput={setKeep}
            />
            <Button
              title="Removes the units that the answers need the least, then trains for 20 epochs"
              isDisabled={isBusy}
              onClick={() => void act('prune', () => session.ask('prune', { keep }))}
            >
              {doing === 'prune' ? 'Pruning …' : 'Prune'}
            </Button>
          </div>
          <div>
            <Slider
              label="units of the student"
              title="The size of the student, as a share of this model"
              value={share}
              min={0.1}
              max={0.9}
              step={0.05}
              text={`${Math.round(100 * share)} %`}
              onInput={setShare}
            />
            <Button
              title="A smaller model learns from the answers of this one"
              isDisabled={isBusy}
              onClick={() => void act('distil', () => session.ask('distil', { share }))}
            >
              {doing === 'distil' ? 'Distilling …' : 'Distil'}
            </Button>
          </div>
          <div>
            <p class="soft">Weights in 8 bits in place of 32.</p>
            <Button
              title="Stores the weights as bytes and multiplies integers"
              isDisabled={isBusy}
              onClick={() => void act('quantize', () => session.ask('quantize', null))}
            >
              {doing === 'quantize' ? 'Quantizing …' : 'Quantize'}
            </Button>
          </div>
          <div>
            <p class="soft">Dormant units begin again.</p>
            <Button
              title="Gives new weights to units that are hardly active, and trains for an epoch"
              isDisabled={isBusy}
              onClick={() => void act('regenerate', regenerate)}
            >
              {doing === 'regenerate' ? 'Regenerating …' : 'Regenerate'}
            </Button>
          </div>
        </div>
        <Results
          rows={rows}
          isClasses={described.form.task.kind === 'classes'}
          isBusy={isBusy}
          onAdopt={(label) => void adopt(label)}
        />
        <p class="soft" role="status">
          {note}
        </p>
      </section>
      <DriftingStream />
    </div>
  )
}

function Results(props: {
  readonly rows: readonly Measured[]
  readonly isClasses: boolean
  readonly isBusy: boolean
  readonly onAdopt: (label: string) => void
}) {
  const { rows, isClasses, isBusy, onAdopt } = props
  const [first] = rows
  const share = (value: number, of: number): string => (of === 0 ? '' : `${((100 * value) / of).toFixed(0)} %`)
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Results, scrollable">
      <table class="results">
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">{isClasses ? 'Accuracy' : 'Mean error'}</th>
            <th scope="col">Weights</th>
            <th scope="col">File</th>
            <th scope="col">FLOPs per answer</th>
            <th scope="col">Time per answer</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {rows.map(({ label, metric, parameters, bytes, flops, microseconds }, i) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              <td>{isClasses ? percent(metric) : short(metric)}</td>
              <td>
                {short(parameters)} <i>{i > 0 && share(parameters, first!.parameters)}</i>
              </td>
              <td>
                {short(bytes)}B <i>{i > 0 && share(bytes, first!.bytes)}</i>
              </td>
              <td>
                {short(flops)} <i>{i > 0 && share(flops, first!.flops)}</i>
              </td>
              <td>
                {microseconds.toFixed(2)} µs <i>{i > 0 && share(microseconds, first!.microseconds)}</i>
              </td>
              <td>
                {/^(A student|…)/.test(label) && (
                  <Button
                    kind="quiet"
                    title={`Goes on with this model: ${label}`}
                    isDisabled={isBusy}
                    onClick={() => onAdopt(label)}
                  >
                    Use it
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const STREAM_LINES: readonly Line[] = [
  { name: 'backpropagation', colour: 1 },
  { name: 'continual backprop', colour: 2 },
]
/** Tasks over which errors are averaged. */
const WINDOW = 5
const MOST_TASKS = 200

function DriftingStream() {
  const [points, setPoints] = useState<readonly StreamPoint[]>([])
  const [isRunning, setRunning] = useState(false)
  const [isRenewed, setRenewed] = useState(true)
  const running = useRef(false)
  useEffect(() => () => void (running.current = false), [])
  const start = async (): Promise<void> => {
    session.pause()
    running.current = true
    setRunning(true)
    let all: readonly StreamPoint[] = points.length >= MOST_TASKS ? [] : points
    while (running.current && all.length < MOST_TASKS) {
      const next = await session.ask('stream', { restart: all.length === 0, tasks: 1 })
      if (next === null) break
      all = [...all, ...next]
      setPoints(all)
    }
    running.current = false
    setRunning(false)
  }
  const averaged = (pick: (point: StreamPoint) => number): number[] =>
    points.map((_, i) => {
      const seen = points.slice(Math.max(0, i + 1 - WINDOW), i + 1)
      return seen.reduce((sum, each) => sum + pick(each), 0) / seen.length
    })
  const plain = averaged((point) => point.plain)
  const renewed = averaged((point) => point.renewed)
  const lines = isRenewed ? STREAM_LINES : STREAM_LINES.slice(0, 1)
  const data = [points.map(({ examples }) => examples / 1000), plain, ...(isRenewed ? [renewed] : [])] as const
  const last = (values: number[]): string => short(values.at(-1) ?? Number.NaN)
  return (
    <section class="card" aria-label="A stream that drifts">
      <header>
        <h2>A stream that drifts</h2>
        <Legend lines={lines} values={isRenewed ? [last(plain), last(renewed)] : [last(plain)]} />
      </header>
      <p class="soft">
        A function of 20 bits changes after every 10,000 examples. Two networks of five units go on learning. With
        backpropagation, units die one after the other and the error rises. Continual backprop keeps renewing the units
        that contribute the least.
      </p>
      <Chart
        label={`Error over the stream: backpropagation ${last(plain)}, continual backprop ${last(renewed)}`}
        lines={lines}
        data={data as never}
        height={200}
      />
      <p class="caption below">thousands of examples; squared error, the mean of five tasks</p>
      <div class="row">
        <Button
          title={isRunning ? 'Stops the stream' : 'Both networks learn from the stream'}
          kind={isRunning ? 'plain' : 'primary'}
          onClick={() => (isRunning ? (running.current = false) : void start())}
        >
          {isRunning
            ? 'Stop'
            : points.length === 0
              ? 'Start the stream'
              : points.length >= MOST_TASKS
                ? 'Start again'
                : 'Go on'}
        </Button>
        <Check
          label="with continual backprop"
          title="Shows the network that renews its units"
          value={isRenewed}
          onChange={setRenewed}
        />
      </div>
    </section>
  )
}
