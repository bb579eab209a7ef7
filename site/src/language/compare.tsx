// Step 5: the same prompt, answered without and with the adapter.

import { useId, useRef, useState } from 'preact/hooks'
import { Button } from '../ui/fields'
import { useStore } from '../ui/store'
import { pace } from './chat'
import { Head } from './parts'
import type { Opened, Said } from './protocol'
import { session } from './session'

export function Compare({ opened: { isChat } }: { readonly opened: Opened }) {
  const [prompt, setPrompt] = useState(isChat ? 'What colour is grass?' : 'The sea is')
  const compared = useStore(session.compared)
  const taught = useStore(session.taught)
  const doing = useStore(session.doing)
  const id = useId()
  const isComparing = doing === 'compare'
  const canCompare = taught !== null && doing === null && prompt.trim() !== ''
  const field = useRef<HTMLInputElement>(null)
  const compare = (): void => {
    const { value } = field.current!
    if (taught !== null && value.trim() !== '') void session.compare(value)
  }
  return (
    <section class="card lm-card" aria-label="Comparison" aria-busy={isComparing}>
      <Head step={5} title="Compare before and after" />
      <p class="soft">
        {taught === null
          ? 'Train an adapter first.'
          : 'A prompt that is not among the examples shows what it has learnt beyond them.'}
      </p>
      <form
        class="asking"
        onSubmit={(event) => {
          event.preventDefault()
          compare()
        }}
      >
        <label class="hidden" for={id}>
          Prompt to compare
        </label>
        <input
          id={id}
          ref={field}
          type="text"
          class="writing"
          value={prompt}
          onInput={(event) => setPrompt(event.currentTarget.value)}
        />
        {isComparing ? (
          <Button title="Ends it" onClick={() => session.stop()}>
            Stop
          </Button>
        ) : (
          <Button kind="primary" title="Has the model answer twice" isDisabled={!canCompare} onClick={compare}>
            Compare
          </Button>
        )}
      </form>
      <div class="sides">
        <Side
          title="Before"
          about="without the adapter"
          prompt={compared?.prompt}
          said={compared?.before}
          isChat={isChat}
        />
        <Side title="After" about="with the adapter" prompt={compared?.prompt} said={compared?.after} isChat={isChat} />
      </div>
    </section>
  )
}

function Side(props: {
  readonly title: string
  readonly about: string
  readonly prompt: string | undefined
  readonly said: Said | null | undefined
  readonly isChat: boolean
}) {
  const { title, about, prompt, said, isChat } = props
  return (
    <div class="side" role="group" aria-label={title}>
      <h3>
        {title} <span class="soft">{about}</span>
      </h3>
      {said == null ? (
        <p class="soft">–</p>
      ) : (
        <>
          <p class="continued">
            {!isChat && prompt}
            <mark>{said.text}</mark>
          </p>
          <p class="soft">{pace(said)}</p>
        </>
      )}
    </div>
  )
}
