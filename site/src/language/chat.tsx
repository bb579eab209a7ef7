// Step 2: a conversation with the model, or texts that it continues.

import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { Button, Check, Slider } from '../ui/fields'
import { useStore } from '../ui/store'
import { Head } from './parts'
import type { Opened, Said, Turn } from './protocol'
import { session } from './session'

/** 12 tokens, 340 a second */
export function pace({ tokens, perSecond }: Said): string {
  const count = `${tokens} token${tokens === 1 ? '' : 's'}`
  return perSecond === null
    ? count
    : `${count}, ${perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toFixed(1)} a second`
}

export function Chat({ opened: { isChat } }: { readonly opened: Opened }) {
  const turns = useStore(session.turns)
  const said = useStore(session.said)
  const doing = useStore(session.doing)
  const taught = useStore(session.taught)
  const isAdapted = useStore(session.isAdapted)
  const isSpeaking = doing === 'chat'
  const log = useRef<HTMLDivElement>(null)
  useEffect(() => void (log.current!.scrollTop = log.current!.scrollHeight), [turns, said])
  const shown: readonly Turn[] = isSpeaking ? [...turns, { role: 'assistant', content: said?.text ?? '' }] : turns
  return (
    <section class="card lm-card" aria-label={isChat ? 'Conversation' : 'Continuation'}>
      <Head step={2} title={isChat ? 'Talk with it' : 'Let it continue a text'}>
        {turns.length > 0 && !isSpeaking && (
          <Button kind="quiet" title="Begins a new conversation" onClick={() => session.clear()}>
            Clear
          </Button>
        )}
      </Head>
      <div class="log" role="log" aria-label="What was said" aria-busy={isSpeaking} tabIndex={0} ref={log}>
        {shown.length === 0 && (
          <p class="soft">
            {isChat
              ? 'Ask something.'
              : 'Begin a sentence: the model goes on. It has no chat template, so it does not talk.'}
          </p>
        )}
        {isChat ? <Bubbles turns={shown} /> : <Continued turns={shown} />}
      </div>
      <Ask label={isChat ? 'Message' : 'Begin of a text'} first={isChat ? '' : 'The sky is'} isSpeaking={isSpeaking} />
      <Manners />
      <p class="soft caption" role="status">
        {said !== null && pace(said)}
        {taught !== null && (
          <span class="right">
            <Check
              label="with the adapter"
              title="Whether the model speaks with the adapter that was trained"
              value={isAdapted}
              onChange={(value) => session.isAdapted.set(value)}
            />
          </span>
        )}
      </p>
    </section>
  )
}

function Bubbles({ turns }: { readonly turns: readonly Turn[] }) {
  return (
    <>
      {turns.map(({ role, content }, i) => (
        <p key={i} class={`bubble ${role}`}>
          <span class="hidden">{role === 'user' ? 'You: ' : 'Model: '}</span>
          {content.trim() === '' ? '…' : content.trimStart()}
        </p>
      ))}
    </>
  )
}

/** Each text with what follows. */
function Continued({ turns }: { readonly turns: readonly Turn[] }) {
  return (
    <>
      {turns.map(({ role, content }, i) =>
        role === 'user' ? (
          <p key={i} class="continued">
            {content}
            <mark>{turns[i + 1]?.content ?? ''}</mark>
          </p>
        ) : null,
      )}
    </>
  )
}

function Ask(props: { readonly label: string; readonly first: string; readonly isSpeaking: boolean }) {
  const { label, first, isSpeaking } = props
  const [text, setText] = useState(first)
  const doing = useStore(session.doing)
  const id = useId()
  const field = useRef<HTMLTextAreaElement>(null)
  const ask = (): void => {
    // What was typed since the page was drawn counts as well.
    const text = field.current!.value
    if (text.trim() === '' || session.doing.value !== null) return
    setText('')
    // After an error, the text is there to be changed.
    void session.chat(text).then((isAnswered) => isAnswered || setText((later) => (later === '' ? text : later)))
  }
  return (
    <form
      class="asking"
      onSubmit={(event) => {
        event.preventDefault()
        ask()
      }}
    >
      <label class="hidden" for={id}>
        {label}
      </label>
      <textarea
        id={id}
        ref={field}
        class="writing"
        rows={1}
        placeholder={label}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
          event.preventDefault()
          ask()
        }}
      />
      {isSpeaking ? (
        <Button title="Ends the answer" onClick={() => session.stop()}>
          Stop
        </Button>
      ) : (
        <Button kind="primary" title="Sends it: Enter" isDisabled={text.trim() === '' || doing !== null} onClick={ask}>
          Send
        </Button>
      )}
    </form>
  )
}

function Manners() {
  const manner = useStore(session.manner)
  return (
    <div class="manners">
      <Slider
        label="temperature"
        title="0 takes the likeliest token each time; more makes texts more varied"
        value={manner.temperature}
        min={0}
        max={2}
        step={0.1}
        text={manner.temperature.toFixed(1)}
        onInput={(temperature) => session.manner.set({ ...session.manner.value, temperature })}
      />
      <Slider
        label="at most"
        title="The most tokens of an answer"
        value={manner.maxTokens}
        min={16}
        max={512}
        step={16}
        onInput={(maxTokens) => session.manner.set({ ...session.manner.value, maxTokens })}
      />
    </div>
  )
}
