// Step 4: trains an adapter on the examples, with the curve of its loss.

import { useMemo } from 'preact/hooks'
import { Chart, Legend, type Line } from '../ui/chart'
import { Button, ListSlider, Select, short } from '../ui/fields'
import { useStore } from '../ui/store'
import { Head, Progress } from './parts'
import type { Opened, Taught, Targets } from './protocol'
import { session } from './session'

const LINES: readonly Line[] = [{ name: 'loss', colour: 0 }]
const RANKS = [1, 2, 4, 8, 16, 32]
const EPOCHS = [1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500]
const RATES = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01]
const TARGET_NAMES: Readonly<Record<Targets, string>> = { attention: 'query and value', all: 'all of each block' }

export function Teach({ opened }: { readonly opened: Opened }) {
  const doing = useStore(session.doing)
  const run = useStore(session.lossesOf)
  const taught = useStore(session.taught)
  const losses = run?.losses ?? []
  const data = useMemo(() => [losses.map((_, i) => i + 1), losses] as const, [losses])
  const isTeaching = doing === 'teach'
  const last = losses.at(-1)
  return (
    <section class="card lm-card" aria-label="Training" aria-busy={isTeaching}>
      <Head step={4} title="Train an adapter">
        <Legend lines={LINES} values={[last === undefined ? '–' : short(last)]} />
      </Head>
      <p class="soft">
        LoRA: two narrow matrices beside the layers of each block learn the examples; the {short(opened.parameters)}{' '}
        numbers of the model stay as they are.
      </p>
      <Lessons />
      <Chart label={`Loss of ${losses.length} epochs`} lines={LINES} data={data} height={170} />
      {isTeaching ? (
        <Progress
          text={`Epoch ${Math.min(losses.length + 1, session.lesson.value.epochs)} of ${session.lesson.value.epochs}`}
          share={run?.share ?? null}
        />
      ) : (
        <div class="row">
          <Button
            kind="primary"
            title="Trains a new adapter on the examples"
            isDisabled={doing !== null}
            onClick={() => void session.teach()}
          >
            {taught === null ? 'Train the adapter' : 'Train it anew'}
          </Button>
          <span class="soft" role="status">
            {taught !== null && resultOf(taught)}
          </span>
        </div>
      )}
    </section>
  )
}

function resultOf({ parameters, losses, examples, seconds, isStopped }: Taught): string {
  const epochs = `${losses.length} epoch${losses.length === 1 ? '' : 's'}`
  return `${isStopped ? 'Stopped after' : 'Trained for'} ${epochs} of ${examples} examples in ${seconds.toFixed(1)} s: ${short(parameters)} numbers.`
}

function Lessons() {
  const lesson = useStore(session.lesson)
  return (
    <div class="manners">
      <ListSlider
        label="rank"
        title="The width of the two matrices: more can learn more, and takes more"
        values={RANKS}
        value={lesson.rank}
        onInput={(rank) => session.lesson.set({ ...session.lesson.value, rank })}
      />
      <ListSlider
        label="epochs"
        title="How often it goes through the examples"
        values={EPOCHS}
        value={lesson.epochs}
        onInput={(epochs) => session.lesson.set({ ...session.lesson.value, epochs })}
      />
      <ListSlider
        label="learning rate"
        title="The size of a step"
        values={RATES}
        value={lesson.learningRate}
        onInput={(learningRate) => session.lesson.set({ ...session.lesson.value, learningRate })}
      />
      <Select
        label="layers"
        title="The layers that get an adapter"
        value={lesson.targets}
        options={TARGET_NAMES}
        onChange={(targets) => session.lesson.set({ ...session.lesson.value, targets })}
      />
    </div>
  )
}
