// The tab Learn: the answers of the model, its curves, the confusion of its classes, and the cost of training.

import { counted } from '../model/words'
import { useMemo } from 'preact/hooks'
import { sizeOf, type Form } from '../data/form'
import type { Frame } from '../worker/protocol'
import { session } from './session'
import { Pixels, Plane } from './canvas'
import { Chart, Legend, joined, type Data, type Line, type Numbers } from './chart'
import { NO_CURVES, type Curves } from './curves-of-run'
import { Button, Check, percent, short } from './fields'
import { imagePixels } from './paint'
import type { KeptRun } from './shown-run'
import { Store, useStore } from './store'
import { classColour, isDark } from './theme'

export function Learn() {
  const described = useStore(session.described)
  const kept = useStore(session.kept)
  if (described === null) return <div class="learn waiting" aria-busy="true" />
  const { form } = described
  const isPlane = form.kind === 'plane'
  return (
    <div class="learn">
      <div class="stack">
        {isPlane ? <Answers /> : <Confusion form={form} frame={session.frame} isLarge />}
        <CostsCard />
        {isPlane && kept !== null && <Confusion form={form} frame={session.frame} />}
      </div>
      <div class="stack">
        {kept !== null && <Kept kept={kept} />}
        <CurvesCard form={form} kept={kept} />
        {isPlane && kept === null && <Confusion form={form} frame={session.frame} />}
        {form.kind === 'image' && <Examples />}
      </div>
    </div>
  )
}

function KeepButton() {
  const isKept = useStore(session.kept) !== null
  return (
    <Button
      kind="quiet"
      title={isKept ? 'Forgets the kept run' : 'Keeps this run, and begins a new one beside it; both train'}
      onClick={() => (isKept ? session.forget() : session.keep())}
      isPressed={isKept}
    >
      {isKept ? 'Forget kept run' : 'Keep to compare'}
    </Button>
  )
}

/** The kept run, beside the present one. */
function Kept({ kept }: { readonly kept: KeptRun }) {
  const { label, shown } = kept
  const described = useStore(shown.described)
  const frame = useStore(shown.frame)
  const trains = useStore(kept.trains)
  if (described === null) return null
  const { form, train, test } = described
  return (
    <section class="card" aria-label="Kept run">
      <header>
        <h2>Kept run</h2>
        <p class="soft">
          {label}, epoch {frame?.epoch ?? 0}
        </p>
      </header>
      {form.kind === 'plane' ? (
        <Plane
          form={form}
          train={train}
          test={test}
          surface={frame?.surface ?? null}
          label={`Answers of the kept run, ${label}`}
        />
      ) : (
        <ConfusionTable form={form} frame={shown.frame} label="Confusion matrix of the kept run" />
      )}
      <Check
        label="trains with the new run"
        title="Whether Train, Step and Reset are for the kept run, too"
        value={trains}
        onChange={(value) => session.setKeptTrains(value)}
      />
    </section>
  )
}

const isDrawn = (): boolean => session.state.value.data.kind === 'drawn'

function Answers() {
  const described = useStore(session.described)!
  const frame = useStore(session.frame)
  const chosen = useStore(session.chosen)
  const pen = useStore(session.pen)
  const { form, train, test } = described
  const curve = session.curves.value
  const accuracy = curve.testMetric.at(-1)
  return (
    <section class="card answers" aria-label="Answers">
      <header>
        <h2>Answers in the plane</h2>
        <KeepButton />
      </header>
      <Plane
        form={form}
        train={train}
        test={test}
        surface={frame?.surface ?? null}
        chosen={chosen}
        label={`The answers of the model in the plane, with ${train.rows + test.rows} points.${accuracy == null ? '' : ` ${form.task.kind === 'classes' ? `${percent(accuracy)} of the test points are right.` : `The mean error is ${short(accuracy)}.`}`}`}
        onPoint={(x, y) => (isDrawn() ? session.draw({ x, y, label: pen }) : session.explain(Float32Array.of(x, y)))}
      />
      <p class="caption">
        <span class="dot" /> training <span class="ring" /> test
        <span class="right">{isDrawn() ? 'Click to add a point.' : 'Click a place to see why.'}</span>
      </p>
    </section>
  )
}

/** Curves are drawn in this order, so that of the test rows covers that of training. */
function linesOf(isKept: boolean): Line[] {
  const lines = [
    { name: 'training', colour: 0 },
    { name: 'test', colour: 1 },
  ]
  return isKept ? [...lines, { name: 'kept, test', colour: 3, dash: [6, 5] }] : lines
}

function dataOf(
  curves: Curves,
  kept: Curves | undefined,
  train: 'loss' | 'metric',
  test: 'testLoss' | 'testMetric',
): Data {
  const shown: Data = [curves.epochs, curves[train], curves[test]]
  return kept === undefined ? shown : joined(shown, [kept.epochs, kept[test]])
}

const NONE = new Store(NO_CURVES)

function CurvesCard({ form, kept }: { readonly form: Form; readonly kept: KeptRun | null }) {
  const curves = useStore(session.curves)
  const keptCurves = useStore(kept?.shown.curves ?? NONE)
  const other = kept === null ? undefined : keptCurves
  const isClasses = form.task.kind === 'classes'
  const last = (values: Numbers): number => values.findLast((each) => each !== null) ?? Number.NaN
  const loss = useMemo(() => dataOf(curves, other, 'loss', 'testLoss'), [curves, other])
  const metric = useMemo(() => dataOf(curves, other, 'metric', 'testMetric'), [curves, other])
  const lines = linesOf(kept !== null)
  const format = isClasses ? percent : short
  return (
    <section class="card" aria-label="Curves">
      <header>
        <h2>Loss</h2>
        <Legend
          lines={lines}
          values={[
            last(curves.loss),
            last(curves.testLoss),
            ...(other === undefined ? [] : [last(other.testLoss)]),
          ].map(short)}
        />
      </header>
      <Chart
        label={`Loss by epoch; the last is ${short(last(curves.loss))}, on test rows ${short(last(curves.testLoss))}`}
        lines={lines}
        data={loss}
        height={150}
      />
      <header class="second">
        <h2>{isClasses ? 'Accuracy' : 'Mean error'}</h2>
        <Legend
          lines={lines}
          values={[
            last(curves.metric),
            last(curves.testMetric),
            ...(other === undefined ? [] : [last(other.testMetric)]),
          ].map(format)}
        />
      </header>
      <Chart
        label={`${isClasses ? 'Accuracy' : 'Mean error'} by epoch; the last is ${format(last(curves.metric))}, on test rows ${format(last(curves.testMetric))}`}
        lines={lines}
        data={metric}
        height={150}
        {...(isClasses ? { range: [0, 1.02] as const } : {})}
      />
    </section>
  )
}

interface Confused {
  readonly form: Form
  readonly frame: Store<Frame | null>
}

function Confusion({ form, frame, isLarge = false }: Confused & { readonly isLarge?: boolean }) {
  const counts = useStore(frame)?.confusion ?? null
  const { task } = form
  if (task.kind !== 'classes')
    return isLarge ? (
      <section class="card">
        <header>
          <h2>Predicting {task.name}</h2>
          <KeepButton />
        </header>
        <p class="soft">The curves show how far the predictions are from the truth.</p>
      </section>
    ) : null
  const width = task.names.length
  const right = counts?.reduce((sum, each, i) => sum + (i % width === Math.floor(i / width) ? each : 0), 0) ?? 0
  const total = counts?.reduce((sum, each) => sum + each, 0) ?? 0
  return (
    <section class={isLarge ? 'card confusion large' : 'card confusion'} aria-label="Confusion matrix">
      <header>
        <h2>Confusion matrix</h2>
        <p class="soft">{counts === null ? 'test rows' : `${right} of ${total} test rows right`}</p>
        {isLarge && <KeepButton />}
      </header>
      <ConfusionTable form={form} frame={frame} label="Confusion matrix, scrollable" />
    </section>
  )
}

function ConfusionTable({ form: { task }, frame, label }: Confused & { readonly label: string }) {
  const counts = useStore(frame)?.confusion ?? null
  useStore(isDark)
  if (task.kind !== 'classes') return null
  const { names } = task
  const most = Math.max(1, ...(counts ?? []))
  const [r, g, b] = classColour(0)
  const [wr, wg, wb] = classColour(1)
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={label}>
      <table>
        <thead>
          <tr>
            <td class="corner">true ↓ answer →</td>
            {names.map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {names.map((name, row) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {names.map((other, column) => {
                const count = counts?.[row * names.length + column] ?? 0
                const share = count / most
                const colour = row === column ? `${r} ${g} ${b}` : `${wr} ${wg} ${wb}`
                return (
                  <td
                    key={other}
                    style={{
                      backgroundColor:
                        count === 0 ? 'transparent' : `rgb(${colour} / ${(0.1 + 0.3 * share).toFixed(2)})`,
                    }}
                  >
                    {counts === null ? '' : count === 0 ? '·' : count}
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Test images with the answers of the model; wrong ones are marked. */
function Examples() {
  const { form, test } = useStore(session.described)!
  const answers = useStore(session.frame)?.answers ?? []
  if (form.task.kind !== 'classes') return null
  const { names } = form.task
  const size = sizeOf(form.inputShape)
  return (
    <section class="card" aria-label="Test images">
      <header>
        <h2>Test images and answers</h2>
        <p class="soft">wrong ones are marked</p>
      </header>
      <ul class="thumbnails">
        {answers.map((answer, i) => {
          const row = test.x.subarray(i * size, (i + 1) * size)
          const isRight = answer === test.y[i]
          const text = `${names[test.y[i]!]}, answer ${names[answer]}`
          return (
            <li key={i}>
              <button
                type="button"
                class={isRight ? 'plain' : 'plain wrong'}
                title="Explains this answer"
                aria-label={`Image ${i + 1}: ${text}`}
                onClick={() => session.explain(row.slice())}
              >
                <Pixels label="" image={() => imagePixels(row, form.inputShape)} />
                <span>{names[answer]}</span>
              </button>
            </li>
          )
        })}
      </ul>
    </section>
  )
}

function CostsCard() {
  const frame = useStore(session.frame)
  const limit = useStore(session.limit)
  const costs = frame?.costs
  const figures: [string, string, string][] = [
    ['steps per second', short(costs?.stepsPerSecond ?? Number.NaN), 'Steps of training, while it runs'],
    [
      'FLOPs of a step',
      short(costs?.stepFlops ?? Number.NaN),
      'Floating-point operations of one step, counted by the ledger',
    ],
    ['FLOPs so far', short(costs?.flops ?? 0), 'Floating-point operations of this run'],
    ['joules so far', short(costs?.joules ?? 0), 'Energy of this run, estimated from the time of the processor'],
    ['seconds so far', short(costs?.seconds ?? 0), 'Time spent on training'],
    ['weights', short(costs?.parameters ?? Number.NaN), 'Numbers that the model has'],
  ]
  const amounts = { flops: [1e6, 1e7, 1e8, 1e9], joules: [1, 10, 100], seconds: [1, 5, 30] }
  const options: Record<string, string> = { none: 'no budget' }
  for (const [resource, values] of Object.entries(amounts))
    for (const amount of values)
      options[`${resource}:${amount}`] =
        resource === 'flops' ? `${short(amount)}FLOP` : counted(short(amount), resource.slice(0, -1))
  return (
    <section class="card costs" aria-label="Costs">
      <header>
        <h2>What it costs</h2>
        <label class="inline">
          <span>end at</span>
          <select
            title="Training ends when this budget is spent"
            value={limit === null ? 'none' : `${limit.resource}:${limit.amount}`}
            onChange={(event) => {
              const [resource, amount] = event.currentTarget.value.split(':')
              session.setLimit(resource === 'none' ? null : { resource: resource as 'flops', amount: Number(amount) })
            }}
          >
            {Object.entries(options).map(([key, text]) => (
              <option key={key} value={key}>
                {text}
              </option>
            ))}
          </select>
        </label>
      </header>
      <dl>
        {figures.map(([name, value, title]) => (
          <div key={name} title={title}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {frame?.gpu?.step?.device === 'gpu' && (
        <p class="soft">
          Seconds include those of the GPU. Joules are estimated from the time of the processor; the energy of the GPU
          is not measured.
        </p>
      )}
    </section>
  )
}
