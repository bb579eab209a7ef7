// Step 1: a model from files, from an address, or a small one that the page makes, and how its weights are stored.

import type { WeightKind } from 'myelin/language'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { Button, Choice, short } from '../ui/fields'
import { useStore } from '../ui/store'
import { droppedFiles, nameOfFiles } from './dropped'
import { Head, Progress, megabytes } from './parts'
import type { Opened, Source } from './protocol'
import { SENTENCES } from './sentences'
import { session } from './session'

const KINDS: Readonly<Record<Source['kind'], string>> = { new: 'A small one', files: 'Files', address: 'Address' }

export function ModelStep() {
  const opened = useStore(session.opened)
  const doing = useStore(session.doing)
  const progress = useStore(session.progress)
  const [isOpen, setOpen] = useState(true)
  useEffect(() => setOpen(opened === null), [opened])
  const isBusy = doing === 'inspect' || doing === 'open'
  return (
    <section class="card" aria-label="Model" aria-busy={isBusy}>
      <Head step={1} title="Choose a model">
        {opened !== null && !isBusy && (
          <Button
            kind="quiet"
            title={isOpen ? 'Keeps the present model' : 'Opens another model in place of this one'}
            onClick={() => setOpen(!isOpen)}
          >
            {isOpen ? 'Keep this model' : 'Another model'}
          </Button>
        )}
      </Head>
      {opened !== null && <About opened={opened} />}
      {isOpen && <Sources />}
      {isBusy && <Progress text={progress?.text ?? 'Looking at the model …'} share={progress?.share ?? null} />}
    </section>
  )
}

function About({ opened }: { readonly opened: Opened }) {
  const { name, modelType, parameters, bytes, weights, vocabularySize, maxLength, isChat } = opened
  return (
    <dl class="figures">
      {[
        ['model', name],
        ['family', modelType],
        ['weights', `${short(parameters)}, ${weights}: ${megabytes(bytes[weights])}`],
        ['vocabulary', `${short(vocabularySize)} tokens`],
        ['longest text', `${short(maxLength)} tokens`],
        ['mode', isChat ? 'conversation' : 'continues texts'],
      ].map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function Sources() {
  const [kind, setKind] = useState<Source['kind']>('new')
  const [text, setText] = useState(SENTENCES)
  const chosen = useStore(session.chosen)
  const isIdle = useStore(session.doing) === null
  const change = (next: Source['kind']): void => {
    setKind(next)
    session.chosen.set(null)
  }
  const source: Source | null = kind === 'new' ? { kind, text } : (chosen?.source ?? null)
  return (
    <div class="stack sources">
      <Choice label="Where from" title="Where the model comes from" value={kind} options={KINDS} onChange={change} />
      {kind === 'new' && <SmallModel text={text} onText={setText} />}
      {kind === 'files' && <ChosenFiles />}
      {kind === 'address' && <Address />}
      {chosen !== null && kind !== 'new' && (
        <p class="soft" role="status">
          {chosen.name}: {chosen.info?.modelType}, {short(chosen.info?.parameters ?? 0)} numbers
        </p>
      )}
      <WeightChoice isSmall={kind === 'new'} />
      <div class="row">
        <Button
          kind="primary"
          title={kind === 'new' ? 'Trains a tokenizer and a model in this page' : 'Loads the model'}
          isDisabled={!isIdle || source === null}
          onClick={() => source !== null && void session.open(source)}
        >
          {kind === 'new' ? 'Make a small model' : 'Open the model'}
        </Button>
        {source === null && (
          <span class="soft">{kind === 'files' ? 'Choose files first.' : 'Look up an address first.'}</span>
        )}
      </div>
    </div>
  )
}

function SmallModel({ text, onText }: { readonly text: string; readonly onText: (text: string) => void }) {
  const id = useId()
  return (
    <div>
      <p class="soft">
        The page trains a tokenizer and a Llama of two blocks on the sentences below. That takes some seconds and needs
        no network. Such a model knows nothing but these sentences.
      </p>
      <details>
        <summary>Its sentences, one in a line: change them, or paste a text of yours</summary>
        <label class="hidden" for={id}>
          Sentences of the small model
        </label>
        <textarea
          id={id}
          class="writing"
          rows={8}
          value={text}
          onInput={(event) => onText(event.currentTarget.value)}
        />
      </details>
    </div>
  )
}

function ChosenFiles() {
  const choose = (files: readonly File[], name?: string): void => {
    if (files.length > 0) void session.inspect({ kind: 'files', files }, name ?? nameOfFiles(files))
  }
  return (
    <div>
      <p class="soft">
        A folder as the Hugging Face hub has it (config.json, tokenizer.json, model.safetensors), or one GGUF file. The
        files are read in this page and are sent nowhere.
      </p>
      <div
        class="drops"
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault()
          void droppedFiles(event.dataTransfer).then(({ name, files }) => choose(files, name))
        }}
      >
        <label class="drop">
          <input
            type="file"
            multiple
            title="The folder of a model"
            ref={(input) => input?.setAttribute('webkitdirectory', '')}
            onChange={(event) => choose([...(event.currentTarget.files ?? [])])}
          />
          <span>Choose a folder, or drop it here</span>
        </label>
        <label class="drop">
          <input
            type="file"
            multiple
            title="The files of a model, or a GGUF file"
            onChange={(event) => choose([...(event.currentTarget.files ?? [])])}
          />
          <span>Choose files, such as one .gguf</span>
        </label>
      </div>
    </div>
  )
}

function Address() {
  const [address, setAddress] = useState('hf://HuggingFaceTB/SmolLM2-135M-Instruct')
  const id = useId()
  const isIdle = useStore(session.doing) === null
  const field = useRef<HTMLInputElement>(null)
  const look = (): void => {
    const name = field.current!.value.trim()
    if (name !== '') void session.inspect({ kind: 'address', address: name }, name)
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        look()
      }}
    >
      <p class="soft">
        A repository of the Hugging Face hub, hf://owner/name, or the address of a folder or of a GGUF file. Your
        browser fetches the model from there and keeps it, so that it is fetched once.
      </p>
      <div class="asking">
        <label class="hidden" for={id}>
          Address of the model
        </label>
        <input
          id={id}
          ref={field}
          type="text"
          class="writing"
          spellcheck={false}
          autocapitalize="off"
          value={address}
          onInput={(event) => setAddress(event.currentTarget.value)}
        />
        <Button title="Reads what the model is" isDisabled={!isIdle || address.trim() === ''} onClick={look}>
          Look it up
        </Button>
      </div>
    </form>
  )
}

const WEIGHTS: Readonly<Record<WeightKind, { readonly about: string; readonly bytes: number }>> = {
  float32: { about: 'every number as it is', bytes: 4 },
  int8: { about: '9 bits a number, hardly a difference', bytes: 9 / 8 },
  int4: { about: '6 bits a number, a small difference', bytes: 6 / 8 },
}
/** What WebAssembly can address. */
const MOST_BYTES = 2 ** 32
/** About how many numbers the small model has, depending on its tokens. */
const SMALL = 120_000

function WeightChoice({ isSmall }: { readonly isSmall: boolean }) {
  const value = useStore(session.weights)
  const info = useStore(session.chosen)?.info ?? null
  const name = useId()
  const sizeOf = (kind: WeightKind): string => {
    if (info !== null) return megabytes(info.bytes[kind])
    const each = WEIGHTS[kind].bytes
    return isSmall ? `about ${megabytes(each * SMALL)}` : `${Number(each.toFixed(2))} MB per million`
  }
  return (
    <fieldset class="weights">
      <legend>Weights in memory</legend>
      {(Object.keys(WEIGHTS) as WeightKind[]).map((kind) => (
        <label key={kind}>
          <input type="radio" name={name} checked={kind === value} onChange={() => session.weights.set(kind)} />
          <span class="kind">{kind}</span>
          <b>{sizeOf(kind)}</b>
          <span class="soft">
            {info !== null && info.bytes[kind] > MOST_BYTES ? 'more than a page can have' : WEIGHTS[kind].about}
          </span>
        </label>
      ))}
    </fieldset>
  )
}
