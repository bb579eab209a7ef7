// Step 3: examples to learn from, as a table that can be edited, and into which rows of a spreadsheet can be pasted.

import { Button } from '../ui/fields'
import { useStore } from '../ui/store'
import { Head } from './parts'
import type { Example } from './protocol'
import { session } from './session'

const PARTS = ['prompt', 'response'] as const
const NAMES = { prompt: 'Prompt', response: 'Response' }

/** Rows of a spreadsheet: lines with a tab between prompt and response. */
function pastedRows(text: string): readonly Example[] | null {
  if (!text.includes('\t')) return null
  return text.split(/\r?\n/).flatMap((line) => {
    const [prompt = '', response = ''] = line.split('\t')
    return prompt.trim() === '' && response.trim() === '' ? [] : [{ prompt: prompt.trim(), response: response.trim() }]
  })
}

export function Examples() {
  const examples = useStore(session.examples)
  const isBusy = useStore(session.doing) === 'teach'
  // Several changes may come before the page is drawn again.
  const change = (of: (examples: readonly Example[]) => readonly Example[]): void =>
    session.examples.set(of(session.examples.value))
  const edit = (at: number, part: Partial<Example>): void =>
    change((all) => all.map((each, i) => (i === at ? { ...each, ...part } : each)))
  const paste = (event: ClipboardEvent, at: number): void => {
    const rows = pastedRows(event.clipboardData?.getData('text/plain') ?? '')
    if (rows === null) return
    event.preventDefault()
    change((all) => [...all.slice(0, at), ...rows, ...all.slice(at + rows.length)])
  }
  return (
    <section class="card lm-card" aria-label="Examples">
      <Head step={3} title="Give it examples">
        <span class="soft">{examples.length} rows</span>
      </Head>
      <p class="soft">What the model should say to what. Rows of a spreadsheet with two columns can be pasted.</p>
      <div class="scroll examples" tabIndex={0} role="group" aria-label="Examples, scrollable">
        <table>
          <thead>
            <tr>
              {PARTS.map((part) => (
                <th scope="col" key={part}>
                  {NAMES[part]}
                </th>
              ))}
              <td />
            </tr>
          </thead>
          <tbody>
            {examples.map((example, i) => (
              <tr key={i}>
                {PARTS.map((part) => (
                  <td key={part}>
                    <textarea
                      class="writing"
                      rows={1}
                      aria-label={`${NAMES[part]} of example ${i + 1}`}
                      disabled={isBusy}
                      value={example[part]}
                      onInput={(event) => edit(i, { [part]: event.currentTarget.value })}
                      onPaste={(event) => paste(event, i)}
                    />
                  </td>
                ))}
                <td>
                  <Button
                    kind="quiet"
                    title="Removes this example"
                    label={`Remove example ${i + 1}`}
                    isDisabled={isBusy}
                    onClick={() => change((all) => all.filter((_, at) => at !== i))}
                  >
                    ×
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div class="row">
        <Button
          title="Adds a row to the examples"
          isDisabled={isBusy}
          onClick={() => change((all) => [...all, { prompt: '', response: '' }])}
        >
          Add example
        </Button>
        <Button
          title="Removes all examples"
          kind="quiet"
          isDisabled={isBusy}
          onClick={() => change(() => [{ prompt: '', response: '' }])}
        >
          Remove all
        </Button>
      </div>
    </section>
  )
}
