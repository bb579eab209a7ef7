// The panels at the side: data, model, training.

import { useState } from 'preact/hooks'
import { PLANE } from '../data/points'
import { KINDS, isKind, layerOf, type Kind, type LayerSpec, type Values } from '../model/layers'
import { DATA_KINDS, OPTIMIZERS, SCHEDULES, type DataKind, type State, type TrainingSpec } from '../state/state'
import { Button, Check, ListSlider, NumberInput, Select, Slider } from './fields'
import { openFiles } from './files'
import { Camera, chooseFolder } from './pictures'
import { session } from './session'
import { useStore } from './store'
import { classColour, css, isDark } from './theme'

const GENERATED = new Set<DataKind>(['moons', 'circles', 'spirals', 'xor', 'wave'])

export function DataPanel() {
  const state = useStore(session.state)
  const described = useStore(session.described)
  const { data } = state
  const set = (change: Partial<State['data']>): void => session.update((now) => ({ data: { ...now.data, ...change } }))
  return (
    <section class="panel" aria-labelledby="data">
      <h2 id="data">Data</h2>
      <Select
        label="data set"
        title="The data that the model learns from"
        value={data.kind}
        options={DATA_KINDS}
        onChange={(kind) => session.choose(kind)}
      />
      {GENERATED.has(data.kind) && (
        <>
          <Slider
            label="points"
            title="The number of points; one in five is for testing"
            value={data.rows}
            min={50}
            max={1000}
            step={50}
            onInput={(rows) => set({ rows })}
          />
          <Slider
            label="noise"
            title="How far points lie from their shape"
            value={data.noise}
            min={0}
            max={0.5}
            step={0.01}
            text={data.noise.toFixed(2)}
            onInput={(noise) => set({ noise })}
          />
        </>
      )}
      {data.kind === 'drawn' && <Drawing />}
      {data.kind === 'table' && <Table />}
      {data.kind === 'images' && <Pictures />}
      {described?.notes.map((note) => (
        <p key={note} class="soft">
          {note}
        </p>
      ))}
      {described !== null && described.columns.length > 0 && (
        <details>
          <summary title="What is done with each column of the file">Columns</summary>
          <dl class="columns">
            {described.columns.map(({ name, text }) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{text}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </section>
  )
}

const PENS = ['blue', 'orange', 'green', 'purple']

function Drawing() {
  const pen = useStore(session.pen)
  const state = useStore(session.state)
  useStore(isDark)
  const [[x, y], setPlace] = useState<readonly [number, number]>([0, 0])
  const { points } = state.data
  const replace = (change: (now: typeof points) => typeof points): void =>
    session.update(({ data }) => ({ data: { ...data, points: change(data.points) } }))
  return (
    <>
      <fieldset class="pens">
        <legend>Class of the next point</legend>
        {PENS.map((name, label) => (
          <label key={name} title={`The next points are ${name}`}>
            <input type="radio" name="pen" checked={pen === label} onChange={() => session.pen.set(label)} />
            <span style={{ backgroundColor: css(classColour(label)) }} />
            <span class="hidden">{name}</span>
          </label>
        ))}
      </fieldset>
      <p class="soft">Click in the plane to add points, at least ten of two classes.</p>
      <div class="row">
        <NumberInput
          label="x of a new point"
          title="The coordinate x of a point to add"
          value={x}
          min={PLANE.low}
          max={PLANE.high}
          step={0.1}
          onChange={(value) => setPlace([value, y])}
        />
        <NumberInput
          label="y of a new point"
          title="The coordinate y of a point to add"
          value={y}
          min={PLANE.low}
          max={PLANE.high}
          step={0.1}
          onChange={(value) => setPlace([x, value])}
        />
        <Button title="Adds a point at these coordinates" onClick={() => session.draw({ x, y, label: pen })}>
          Add
        </Button>
      </div>
      <div class="row">
        <Button
          kind="quiet"
          title="Removes the last point"
          isDisabled={points.length === 0}
          onClick={() => replace((now) => now.slice(0, -1))}
        >
          Undo
        </Button>
        <Button
          kind="quiet"
          title="Removes all points"
          isDisabled={points.length === 0}
          onClick={() => replace(() => [])}
        >
          Clear
        </Button>
      </div>
    </>
  )
}

function Table() {
  const described = useStore(session.described)
  const { table } = session
  const targets = described?.targets ?? []
  const task = described?.form.task
  const target = table?.target ?? (task?.kind === 'number' ? task.name : targets.at(-1)) ?? ''
  return (
    <>
      <label class="drop">
        <input
          type="file"
          accept=".csv,.tsv,.txt,text/csv"
          title="A file whose first line has the names of the columns"
          onChange={async (event) => {
            const file = event.currentTarget.files?.[0]
            if (file !== undefined)
              session.choose('table', { table: { text: await file.text(), name: file.name, target: null } })
          }}
        />
        <span>{table === undefined ? 'Choose a CSV file, or drop it here' : table.name}</span>
      </label>
      {table !== undefined && targets.length > 0 && (
        <Select
          label="predict"
          title="The column that the model predicts"
          value={target}
          options={targets}
          onChange={(chosen) => session.choose('table', { table: { ...table, target: chosen } })}
        />
      )}
    </>
  )
}

function Pictures() {
  return (
    <>
      <label class="drop">
        <input
          type="file"
          multiple
          title="A folder with a subfolder of images for each class"
          ref={(input) => input?.setAttribute('webkitdirectory', '')}
          onChange={(event) => chooseFolder([...(event.currentTarget.files ?? [])])}
        />
        <span>Choose a folder with a subfolder for each class</span>
      </label>
      <Camera />
      <label class="drop">
        <input
          type="file"
          multiple
          title="Transfer learning: the layers of this network are frozen, and a new output learns your classes"
          onChange={(event) => void openFiles([...(event.currentTarget.files ?? [])])}
        />
        <span>Begin from a trained network (.keras, .h5, .onnx, model.json)</span>
      </label>
    </>
  )
}

export function ModelPanel() {
  const state = useStore(session.state)
  const described = useStore(session.described)
  const opened = useStore(session.opened)
  const [added, setAdded] = useState<Kind>('dense')
  const isImage = described?.form.kind === 'image'
  const { layers } = state
  const set = (change: (now: readonly LayerSpec[]) => readonly LayerSpec[]): void =>
    session.update((now) => ({ layers: change(now.layers) }))
  const kinds = Object.fromEntries(
    Object.entries(KINDS).flatMap(([kind, { label, isSpatial }]) => (isSpatial && !isImage ? [] : [[kind, label]])),
  )
  const move = (from: number, to: number): void => {
    set((now) => {
      const next = [...now]
      next.splice(to, 0, ...next.splice(from, 1))
      return next
    })
  }
  const form = described?.form
  return (
    <section class="panel" aria-labelledby="model">
      <h2 id="model">Model</h2>
      {opened !== null && <p class="soft">{opened} is in use. A change of these layers begins a new model.</p>}
      <ol class="layers">
        <li class="fixed">
          <span>Input</span>
          <span class="soft">{form === undefined ? '' : form.inputShape.join(' × ')}</span>
        </li>
        {layers.map((layer, i) => (
          <LayerRow
            // Rows have no names. Their fields are controlled, so their positions can be the keys.
            key={`${i} ${layer.kind}`}
            layer={layer}
            place={i + 1}
            onChange={(values) =>
              set((now) => now.map((each, j) => (i === j ? { ...each, values: { ...each.values, ...values } } : each)))
            }
            onRemove={() => set((now) => now.filter((_, j) => i !== j))}
            onUp={i === 0 ? null : () => move(i, i - 1)}
            onDown={i === layers.length - 1 ? null : () => move(i, i + 1)}
          />
        ))}
        <li class="fixed">
          <span>Output</span>
          <span class="soft">
            {form === undefined
              ? ''
              : form.task.kind === 'number'
                ? '1 number'
                : form.task.names.length === 2
                  ? 'sigmoid'
                  : `softmax of ${form.task.names.length}`}
          </span>
        </li>
      </ol>
      <div class="row">
        <Select
          isBare
          label="Kind of the new layer"
          title={KINDS[added].title}
          value={added in kinds ? added : 'dense'}
          options={kinds}
          onChange={(kind) => isKind(kind) && setAdded(kind)}
        />
        <Button
          title="Adds the layer before the output"
          isDisabled={layers.length >= 12}
          onClick={() => set((now) => [...now, layerOf(added in kinds ? added : 'dense', {})])}
        >
          Add layer
        </Button>
      </div>
    </section>
  )
}

function LayerRow(props: {
  readonly layer: LayerSpec
  readonly place: number
  readonly onChange: (values: Values) => void
  readonly onRemove: () => void
  readonly onUp: (() => void) | null
  readonly onDown: (() => void) | null
}) {
  const { layer, place, onChange, onRemove, onUp, onDown } = props
  const { label, title, fields } = KINDS[layer.kind]
  const name = `Layer ${place}, ${label}`
  return (
    <li>
      <div class="head">
        <span title={title}>{label}</span>
        <span class="tools">
          <Button
            kind="quiet"
            title="Moves the layer up"
            label={`${name}: move up`}
            isDisabled={onUp === null}
            onClick={() => onUp?.()}
          >
            ↑
          </Button>
          <Button
            kind="quiet"
            title="Moves the layer down"
            label={`${name}: move down`}
            isDisabled={onDown === null}
            onClick={() => onDown?.()}
          >
            ↓
          </Button>
          <Button kind="quiet" title="Removes the layer" label={`${name}: remove`} onClick={onRemove}>
            ×
          </Button>
        </span>
      </div>
      {fields.length > 0 && (
        <div class="options">
          {fields.map((field) => {
            const set = (value: number | string): void => onChange({ [field.name]: value })
            return (
              <div key={field.name}>
                {field.type === 'choice' ? (
                  <Select
                    isBare
                    label={`${name}: ${field.label}`}
                    title={`The ${field.label} of the layer`}
                    value={String(layer.values[field.name])}
                    options={field.choices}
                    onChange={set}
                  />
                ) : (
                  <label class="inline">
                    <NumberInput
                      label={`${name}: ${field.label}`}
                      title={`The ${field.label} of the layer`}
                      value={Number(layer.values[field.name])}
                      min={field.min}
                      max={field.max}
                      step={field.step}
                      onChange={set}
                    />
                    <span aria-hidden="true">{field.label}</span>
                  </label>
                )}
              </div>
            )
          })}
        </div>
      )}
    </li>
  )
}

const OPTIMIZER_NAMES = {
  adam: 'Adam',
  sgd: 'SGD',
  momentum: 'SGD, momentum 0.9',
  rmsprop: 'RMSprop',
  adamw: 'AdamW',
  lion: 'Lion',
}
const RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1]
const PENALTIES = [0, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2]
const BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256]

export function TrainingPanel() {
  const state = useStore(session.state)
  const described = useStore(session.described)
  const { training } = state
  const set = (change: Partial<TrainingSpec>): void =>
    session.update((now) => ({ training: { ...now.training, ...change } }))
  const task = described?.form.task
  const losses: Readonly<Record<string, string>> =
    task?.kind === 'number'
      ? { squared: 'squared error', absolute: 'absolute error', huber: 'Huber' }
      : (task?.names.length ?? 2) > 2
        ? { crossentropy: 'cross-entropy' }
        : { crossentropy: 'cross-entropy', focal: 'focal cross-entropy', squared: 'squared error' }
  const loss = training.loss in losses ? training.loss : Object.keys(losses)[0]!
  return (
    <section class="panel" aria-labelledby="training">
      <h2 id="training">Training</h2>
      <Select
        label="loss"
        title="What training makes smaller"
        value={loss}
        options={losses}
        onChange={(value) => set({ loss: value as TrainingSpec['loss'] })}
      />
      <Select
        label="optimizer"
        title="How gradients become steps"
        value={training.optimizer}
        options={Object.fromEntries(OPTIMIZERS.map((each) => [each, OPTIMIZER_NAMES[each]]))}
        onChange={(optimizer) => set({ optimizer: optimizer as TrainingSpec['optimizer'] })}
      />
      <ListSlider
        label="learning rate"
        title="The size of a step"
        values={RATES}
        value={training.rate}
        onInput={(rate) => set({ rate })}
      />
      <Select
        label="schedule"
        title="How the learning rate changes over 200 epochs"
        value={training.schedule}
        options={SCHEDULES}
        onChange={(schedule) => set({ schedule })}
      />
      <ListSlider
        label="batch"
        title="The rows of a step"
        values={BATCHES}
        value={training.batch}
        onInput={(batch) => set({ batch })}
      />
      <ListSlider
        label="L2 penalty"
        title="How much large weights cost"
        values={PENALTIES}
        value={training.l2}
        onInput={(l2) => set({ l2 })}
      />
      <div class="field">
        <label for="seed">seed</label>
        <div class="row">
          <input
            id="seed"
            type="number"
            title="Data and weights are drawn from this number"
            min={0}
            max={1000000}
            value={training.seed}
            onChange={(event) => set({ seed: Math.max(0, Math.round(event.currentTarget.valueAsNumber || 0)) })}
          />
          <Button kind="quiet" title="Draws other data and weights" onClick={() => set({ seed: training.seed + 1 })}>
            Next
          </Button>
        </div>
      </div>
      <Check
        label="Train on the GPU"
        title="Each program runs where it is measured to be faster, through WebGPU"
        value={training.device === 'gpu'}
        onChange={(isOn) => set({ device: isOn ? 'gpu' : 'cpu' })}
      />
      {training.device === 'gpu' && <GpuNote />}
    </section>
  )
}

function GpuNote() {
  const gpu = useStore(session.frame)?.gpu
  if (gpu == null) return <p class="soft">Looking for a GPU …</p>
  const { note, step } = gpu
  return (
    <p class="soft gpu">
      {note}. {step !== null && `This model trains on the ${step.device === 'gpu' ? 'GPU' : 'CPU'}: ${step.why}. `}
      <a href="./gpu.html" title="Larger models, timed on this GPU">
        Measure this GPU
      </a>
    </p>
  )
}
