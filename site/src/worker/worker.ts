// The worker: it owns the data, the model and the loop of training, and answers the page. slim.ts and full.ts start it:
// without and with the code of other file formats, which is as large as everything else.

import { sizeOf, type DataSet, type Part } from '../data/form'
import { classNameOf, compile, layersOf } from './build'
import { prepare } from './datasets'
import type { convert, load, open } from './files'
import { onGpu, trainOn } from './gpu'
import type {
  Command,
  Curve,
  Frame,
  UserFiles,
  Limit,
  Message,
  Prepared,
  Questions,
  Recipe,
  Seen,
  Speed,
} from './protocol'
import { Run } from './run'
import type { Smaller } from './smaller'
import type { Stream } from './stream'
import type { imagesFor, transferred } from './transfer'
import { confusionOf, surfaceOf, unitsOf, weightsOf } from './views'

/** Milliseconds of training between two frames of the fastest speed. */
const FRAME = 14
const MOST_EPOCHS = 500
/** Milliseconds between two epochs at the slow speed. */
const SLOW = 250
/** Milliseconds after which the worker no longer waits for a page that does not draw. */
const PATIENCE = 400
/** The number of rows of images and tables that the page gets. */
const SHOWN = 200

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no other origins
const post = (message: Message): void => self.postMessage(message)

/** Reads and writes the files of other programs. */
export interface Formats {
  readonly convert: typeof convert
  readonly load: typeof load
  readonly open: typeof open
  readonly imagesFor: typeof imagesFor
  readonly transferred: typeof transferred
}
let formats: Formats | null = null
function theFormats(): Formats {
  if (formats === null) throw new Error('internal: this worker has no file formats')
  return formats
}

let run: Run | null = null
/** The files of the last setup. */
let files: UserFiles = {}
let smaller: Smaller | null = null
let stream: Stream | null = null
let watched: readonly Seen[] = ['answers']
let limit: Limit | null = null
let speed: Speed = 'normal'
let isPlaying = false
/** The number of the present loop of training: earlier loops end. */
let loop = 0
let epochsPerFrame = 1
/** Resolves when the page has drawn. */
let drawn: (() => void) | null = null

// Commands run one after the other: a model cannot answer while it trains.
let last: Promise<unknown> = Promise.resolve()
function inTurn<Result>(body: () => Promise<Result> | Result): Promise<Result> {
  const result = last.then(body)
  last = result.catch(() => undefined)
  return result
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function theRun(): Run {
  if (run === null) throw new Error('There is no model yet')
  return run
}

async function setup(recipe: Recipe, userFiles: UserFiles): Promise<void> {
  files = userFiles
  await begin(recipe, await prepare(recipe, userFiles))
}

async function begin(
  recipe: Recipe,
  { data, ...told }: Prepared,
  make?: ConstructorParameters<typeof Run>[2],
): Promise<void> {
  run?.dispose()
  smaller?.dispose()
  run = null
  smaller = null
  post({
    type: 'ready',
    data: { form: data.form, train: shown(data, data.train), test: shown(data, data.test), ...told },
  })
  if (data.train.rows < 2 || data.test.rows < 1) return
  await trainOn(recipe.training.device)
  run = new Run(recipe, data, make)
  epochsPerFrame = 1
  await sendFrame(null)
}

function shown({ form }: DataSet, part: Part): Part {
  if (form.kind === 'plane') return part
  const rows = Math.min(SHOWN, part.rows)
  return { x: part.x.slice(0, rows * sizeOf(form.inputShape)), y: part.y.slice(0, rows), rows }
}

async function sendFrame(curve: Curve | null): Promise<void> {
  const { model, data, epoch, steps, costs, epochs, ...rest } = viewOf(theRun())
  const [answers, units, weights] = (['answers', 'units', 'weights'] as const).map((part) => watched.includes(part))
  const found = answers === true ? await confusionOf(model, data) : null
  const frame: Frame = {
    epoch,
    steps,
    curve,
    costs,
    kept: epochs,
    surface: answers === true && data.form.kind === 'plane' ? await surfaceOf(model) : null,
    confusion: found?.confusion ?? null,
    answers: found?.answers ?? null,
    units: units === true ? await unitsOf(model, data) : null,
    weights: weights === true ? weightsOf(model) : null,
    gpu: onGpu(),
    ...rest,
  }
  post({ type: 'frame', frame })
}

const viewOf = (from: Run) => ({
  model: from.model,
  data: from.data,
  epoch: from.epoch,
  steps: from.steps,
  costs: from.costs,
  epochs: from.epochs,
  ...from.takeHealth(),
})

/** Trains for some epochs and sends a frame. Returns whether a limit was reached, and the milliseconds of training. */
async function advance(epochs: number): Promise<{ readonly isOver: boolean; readonly milliseconds: number }> {
  const current = theRun()
  const started = performance.now()
  const { curve, ended } = await current.advance(epochs, { limit, withHealth: watched.includes('units') })
  const milliseconds = performance.now() - started
  const seen = new Promise<void>((resolve) => (drawn = resolve))
  await sendFrame(curve)
  await Promise.race([seen, pause(PATIENCE)])
  return { isOver: ended !== null || current.isSpent(limit), milliseconds }
}

function stop(why: string): void {
  isPlaying = false
  post({ type: 'stopped', why })
}

/** Trains the run that exists once all earlier commands are done. */
async function play(): Promise<void> {
  const number = ++loop
  const goes = (): boolean => isPlaying && number === loop
  while (goes()) {
    const started = performance.now()
    const epochs = speed === 'fast' ? epochsPerFrame : 1
    const done = await inTurn(() => {
      if (goes() && run === null) stop('There are too few rows to train with.')
      return goes() ? advance(epochs) : null
    })
    if (done === null) return
    const elapsed = performance.now() - started
    if (speed === 'fast') {
      const wanted = epochs * Math.min(2, FRAME / done.milliseconds)
      epochsPerFrame = Math.min(MOST_EPOCHS, Math.max(1, Math.round(wanted)))
    }
    if (done.isOver) stop('The budget is spent.')
    await pause(speed === 'slow' ? Math.max(0, SLOW - elapsed) : 0)
  }
}

// Code that the first minute does not need is loaded on demand.
async function theSmaller(): Promise<Smaller> {
  const { Smaller } = await import('./smaller')
  return (smaller ??= new Smaller(theRun()))
}

const summaryOf = ({ layers }: Run['model']): string =>
  layers.map((layer) => `${classNameOf(layer)} ${layer.name}`).join('\n')

type Answers = {
  readonly [Kind in keyof Questions]: (argument: Questions[Kind]['argument']) => Promise<Questions[Kind]['answer']>
}

const answers: Answers = {
  measure: async () => (await theSmaller()).measure('Now', theRun().model),
  prune: async ({ keep }) => (await theSmaller()).prune(keep),
  quantize: async () => (await theSmaller()).quantize(),
  distil: async ({ share }) => (await theSmaller()).distil(share),
  async regenerate() {
    const models = await theSmaller()
    const renewed = await models.regenerate()
    await sendFrame(null)
    return { renewed, measured: await models.measure('After regeneration', theRun().model) }
  },
  async adopt({ label }) {
    const model = (await theSmaller()).take(label)
    const layers = layersOf(model)
    theRun().replace(model, layers)
    await sendFrame(null)
    return layers
  },
  explain: async ({ row }) => (await import('./reasons')).reasonsFor(theRun(), row),
  save: async () => Uint8Array.from(await theRun().model.save()),
  convert: ({ bytes, format }) => theFormats().convert(bytes, format),
  async open({ files: opened }) {
    const [{ name }] = opened as [File]
    const { recipe, data, network } = theRun()
    if (recipe.data.kind === 'images' && files.images !== undefined) {
      const { load, imagesFor, transferred } = theFormats()
      const base = await load(opened)
      const images = await imagesFor(base, files.images)
      const notes = [`The layers of ${name} are frozen; a new output learns your classes.`]
      await begin(recipe, { data: images, notes, targets: [], columns: [] }, (next) => transferred(base, next))
      return { name, layers: null, summary: summaryOf(theRun().model) }
    }
    const outputs = network.layers.at(-1)!.options['units'] as number
    const model = await theFormats().open(opened, data.form.inputShape, outputs)
    compile(model, network)
    const layers = layersOf(model)
    theRun().replace(model, layers)
    await sendFrame(null)
    return { name, layers, summary: summaryOf(model) }
  },
  async stream({ restart, tasks }) {
    if (restart) {
      stream?.dispose()
      stream = null
    }
    const { Stream } = await import('./stream')
    stream ??= new Stream()
    const points = []
    for (let i = 0; i < tasks; i++) points.push(await stream.next())
    return points
  },
  picture: async ({ curves }) => (await import('myelin/plot')).plotHistory(curves as Record<string, number[]>).svg,
}

async function answer(id: number, kind: keyof Questions, argument: unknown): Promise<void> {
  try {
    const value = await inTurn(() => (answers[kind] as (argument: unknown) => Promise<unknown>)(argument))
    post({ type: 'answer', id, value, error: null })
  } catch (error) {
    post({ type: 'answer', id, value: null, error: messageOf(error) })
  }
}

async function obey(command: Command): Promise<void> {
  switch (command.type) {
    case 'setup':
      isPlaying = false
      return inTurn(() => setup(command.recipe, command.files))
    case 'play':
      speed = command.speed
      if (isPlaying) return
      isPlaying = true
      return play()
    case 'pause':
      isPlaying = false
      return
    case 'step':
      isPlaying = false
      return inTurn(async () => void (await advance(1)))
    case 'rewind':
      isPlaying = false
      return inTurn(() => {
        theRun().rewind(command.epoch)
        return sendFrame(null)
      })
    case 'watch':
      watched = command.parts
      return inTurn(() => (run === null ? undefined : sendFrame(null)))
    case 'limit':
      limit = command.limit
      return
    case 'drawn':
      drawn?.()
      return
    case 'ask':
      return answer(command.id, command.kind, command.argument)
  }
}

export function serve(ofFiles: Formats | null): void {
  formats = ofFiles
  self.addEventListener('message', ({ data }: MessageEvent<Command>) => {
    obey(data).catch((error: unknown) => {
      isPlaying = false
      post({ type: 'failed', message: messageOf(error) })
    })
  })
}
