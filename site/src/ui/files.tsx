// The tab Files: saves and opens models, and saves the picture of the curves.

import { useState } from 'preact/hooks'
import type { FileFormat, Opened } from '../worker/protocol'
import { download } from './download'
import { Button } from './fields'
import { session } from './session'
import { useStore } from './store'

const FORMATS: Readonly<Record<FileFormat, readonly [string, string]>> = {
  safetensors: ['safetensors', 'for this library, with its training'],
  keras: ['.keras', 'for Keras 3 in Python'],
  onnx: ['.onnx', 'for ONNX Runtime and other programs'],
  tfjs: ['model.json', 'for TensorFlow.js, with its weights beside it'],
}

/** Opens a model, or a table. */
export async function openFiles(files: readonly File[]): Promise<Opened | null> {
  const [first] = files
  if (first === undefined) return null
  if (/\.(?:csv|tsv|txt)$/i.test(first.name)) {
    session.choose('table', { table: { text: await first.text(), name: first.name, target: null } })
    return null
  }
  const opened = await session.open(files)
  if (opened === null) return null
  session.notice.set({ kind: 'info', text: `${opened.name} takes the place of the model. Training goes on with it.` })
  return opened
}

export function Files() {
  const curves = useStore(session.curves)
  const [opened, setOpened] = useState<Opened | null>(null)
  const [isCopied, setCopied] = useState(false)
  const save = async (format: FileFormat): Promise<void> => {
    const files = await session.save(format)
    for (const { name, bytes } of files ?? []) download(name, bytes)
  }
  const picture = async (): Promise<void> => {
    const known = (values: readonly (number | null)[]): number[] => values.filter((each) => each !== null)
    const svg = await session.ask('picture', {
      curves: {
        loss: curves.loss,
        valLoss: fitted(known(curves.testLoss), curves.loss.length),
        accuracy: curves.metric,
        valAccuracy: fitted(known(curves.testMetric), curves.loss.length),
      },
    })
    if (svg !== null) download('curves.svg', svg, 'image/svg+xml')
  }
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(location.href)
    setCopied(true)
    setTimeout(() => setCopied(false), 1500)
  }
  return (
    <div class="pairs">
      <section class="card" aria-label="Save">
        <h2>Save the model</h2>
        <ul class="choices">
          {(Object.keys(FORMATS) as FileFormat[]).map((format) => (
            <li key={format}>
              <Button title={`Saves the model as ${FORMATS[format][0]}`} onClick={() => void save(format)}>
                {FORMATS[format][0]}
              </Button>
              <span class="soft">{FORMATS[format][1]}</span>
            </li>
          ))}
        </ul>
      </section>
      <section class="card" aria-label="Open">
        <h2>Open a model</h2>
        <p class="soft">
          safetensors, .keras, .h5, .onnx, or model.json with its weights. The format is found from the content. You can
          also drop files anywhere on this page.
        </p>
        <label class="drop">
          <input
            type="file"
            multiple
            title="Opens files with a model"
            onChange={async (event) => {
              const input = event.currentTarget
              setOpened(await openFiles([...(input.files ?? [])]))
              input.value = ''
            }}
          />
          <span>Choose files</span>
        </label>
        {opened !== null && (
          <>
            <h3>{opened.name}</h3>
            <pre class="summary" tabIndex={0} aria-label="Layers of the opened model">
              {opened.summary}
            </pre>
          </>
        )}
      </section>
      <section class="card" aria-label="Share">
        <h2>Share</h2>
        <p class="soft">
          The address of this page has the data, the model and the training, but not the trained weights.
        </p>
        <div class="row">
          <Button title="Copies the address of this page" onClick={() => void copy()}>
            {isCopied ? 'Copied' : 'Copy the link'}
          </Button>
          <Button
            title="Saves the curves as a picture"
            onClick={() => void picture()}
            isDisabled={curves.epochs.length === 0}
          >
            Curves as SVG
          </Button>
        </div>
      </section>
    </div>
  )
}

/** A number for each epoch. */
function fitted(values: readonly number[], count: number): number[] {
  return Array.from(
    { length: count },
    (_, i) => values[Math.min(values.length - 1, Math.floor((i * values.length) / count))] ?? Number.NaN,
  )
}
