// The page of language models: its header, and a card for each step.

import { NoticeLine } from '../ui/notice-line'
import { useStore } from '../ui/store'
import { ThemeChoice } from '../ui/theme-choice'
import { Chat } from './chat'
import { Compare } from './compare'
import { CostsCard } from './costs'
import { Examples } from './examples'
import { Keep } from './keep'
import { ModelStep } from './model-step'
import { session } from './session'
import { Teach } from './teach'

export function App() {
  const opened = useStore(session.opened)
  return (
    <>
      <header class="top lm-top">
        <h1>
          myelin <span>language models</span>
        </h1>
        <div class="places">
          <a href="./">Playground</a>
          <ThemeChoice />
        </div>
      </header>
      <main class="lm">
        <p class="lead">
          Open a language model, talk with it, and teach it with ten examples. It runs in this page: what you write and
          the files you choose stay on this computer.
        </p>
        <NoticeLine store={session.notice} />
        <ModelStep />
        {opened !== null && (
          <>
            <div class="lm-pair">
              <Chat key={`chat ${opened.name}`} opened={opened} />
              <Examples />
            </div>
            <div class="lm-pair">
              <Teach opened={opened} />
              <Compare key={`compare ${opened.name}`} opened={opened} />
            </div>
            <div class="lm-pair">
              <Keep opened={opened} />
              <CostsCard />
            </div>
          </>
        )}
      </main>
    </>
  )
}
