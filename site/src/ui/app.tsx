// The page: the bar with the controls of training, the panels at the side, and the tabs.

import { useEffect, useRef } from 'preact/hooks'
import { TABS, type Tab } from '../state/state'
import type { Speed } from '../worker/protocol'
import { Balance } from './balance'
import { Code } from './code'
import { Explain } from './explain'
import { Button, Choice, percent, short } from './fields'
import { Files, openFiles } from './files'
import { Learn } from './learn'
import { DataPanel, ModelPanel, TrainingPanel } from './panels'
import { NoticeLine } from './notice-line'
import { session } from './session'
import { useStore } from './store'
import { ThemeChoice } from './theme-choice'
import { Units } from './units'
import { Weights } from './weights'

const VIEWS = {
  learn: Learn,
  units: Units,
  weights: Weights,
  balance: Balance,
  explain: Explain,
  code: Code,
  files: Files,
} satisfies Record<Tab, unknown>

export function App() {
  const { tab } = useStore(session.state)
  useDrop()
  const View = VIEWS[tab]
  return (
    <>
      <a
        class="skip"
        href="#view"
        onClick={(event) => {
          event.preventDefault()
          document.getElementById('view')!.focus()
        }}
      >
        Skip to the view
      </a>
      <header class="top">
        <h1>
          myelin <span>playground</span>
        </h1>
        <Transport />
        <div class="places">
          <a href="./language.html">Language models</a>
          <ThemeChoice />
        </div>
      </header>
      <div class="page">
        <aside aria-label="Data, model and training">
          <DataPanel />
          <ModelPanel />
          <TrainingPanel />
        </aside>
        <main>
          <Tabs tab={tab} />
          <NoticeLine store={session.notice} />
          <div id="view" role="tabpanel" aria-labelledby={`tab-${tab}`} tabIndex={-1}>
            <View />
          </div>
        </main>
      </div>
      <Announcer />
    </>
  )
}

const SPEEDS: Readonly<Record<Speed, string>> = { slow: '4/s', normal: '60/s', fast: 'max' }

function Transport() {
  const isPlaying = useStore(session.playing)
  const speed = useStore(session.speed)
  const frame = useStore(session.frame)
  const kept = frame?.kept ?? [0]
  const at = Math.max(
    0,
    kept.findLastIndex((epoch) => epoch <= (frame?.epoch ?? 0)),
  )
  return (
    <div class="transport" role="group" aria-label="Training">
      <Button
        kind="primary"
        title={isPlaying ? 'Pauses training' : 'Trains the model'}
        onClick={() => (isPlaying ? session.pause() : session.play())}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d={isPlaying ? 'M4 3h3v10H4zM9 3h3v10H9z' : 'M4 2.5v11l9-5.5z'} />
        </svg>
        {isPlaying ? 'Pause' : 'Train'}
      </Button>
      <Button title="Trains for one epoch" onClick={() => session.step()}>
        Step
      </Button>
      <Button title="Begins again with the weights of the seed" onClick={() => session.reset()}>
        Reset
      </Button>
      <Choice
        label="Speed"
        title="Epochs per second"
        value={speed}
        options={SPEEDS}
        onChange={(value) => session.setSpeed(value)}
      />
      <label class="rewind" title="Returns to an epoch that was kept">
        <span class="epoch">
          epoch <b>{frame?.epoch ?? 0}</b>
        </span>
        <input
          type="range"
          aria-label="Return to an epoch"
          min={0}
          max={Math.max(1, kept.length - 1)}
          step={1}
          value={at}
          disabled={kept.length < 2}
          aria-valuetext={`epoch ${kept[at] ?? 0}`}
          onInput={(event) => session.rewind(kept[event.currentTarget.valueAsNumber] ?? 0)}
        />
      </label>
    </div>
  )
}

/** Arrow keys move between tabs. */
function Tabs({ tab }: { readonly tab: Tab }) {
  const list = useRef<HTMLDivElement>(null)
  const tabs = Object.keys(TABS) as Tab[]
  const turn = (event: KeyboardEvent): void => {
    const by = { ArrowRight: 1, ArrowLeft: -1, Home: -tabs.indexOf(tab), End: tabs.length - 1 - tabs.indexOf(tab) }[
      event.key
    ]
    if (by === undefined) return
    event.preventDefault()
    const next = tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length]!
    session.show(next)
    list.current?.querySelector<HTMLElement>(`#tab-${next}`)?.focus()
  }
  return (
    <div class="tabs" role="tablist" aria-label="Views" ref={list} onKeyDown={turn}>
      {tabs.map((each) => (
        <button
          key={each}
          type="button"
          role="tab"
          data-name={TABS[each]}
          id={`tab-${each}`}
          aria-selected={each === tab}
          aria-controls="view"
          tabIndex={each === tab ? 0 : -1}
          onClick={() => session.show(each)}
        >
          {TABS[each]}
        </button>
      ))}
    </div>
  )
}

/** Announces the progress of training when it pauses. */
function Announcer() {
  const isPlaying = useStore(session.playing)
  const { testMetric } = session.curves.value
  const last = testMetric.at(-1)
  const isClasses = session.described.value?.form.task.kind === 'classes'
  const epoch = session.frame.value?.epoch ?? 0
  return (
    <p class="hidden" role="status">
      {!isPlaying &&
        last != null &&
        `Paused at epoch ${epoch}. ${isClasses ? `Accuracy on test rows ${percent(last)}` : `Mean error on test rows ${short(last)}`}.`}
    </p>
  )
}

/** Files can be dropped anywhere. */
function useDrop(): void {
  useEffect(() => {
    const over = (event: DragEvent): void => event.preventDefault()
    const drop = (event: DragEvent): void => {
      event.preventDefault()
      void openFiles([...(event.dataTransfer?.files ?? [])])
    }
    window.addEventListener('dragover', over)
    window.addEventListener('drop', drop)
    return () => {
      window.removeEventListener('dragover', over)
      window.removeEventListener('drop', drop)
    }
  }, [])
}
