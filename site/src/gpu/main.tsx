// The page that measures the user's GPU and prints what to send. It shares rows, kernels and tables with bench/webgpu.mjs.

import { render } from 'preact'
import { useState } from 'preact/hooks'
import { table } from '../../../bench/format.mjs'
import {
  aboutCounts,
  aboutTimes,
  countsTable,
  limitsLine,
  request,
  timesTable,
  whyLines,
} from '../../../bench/webgpu/report.mjs'
import { rows } from '../../../bench/webgpu/rows.mjs'
import { bugs, version } from '../../../package.json'
import { Button } from '../ui/fields'
import { LIBRARIES, ROUNDS, Computer, idsOf, measureRow, type Result } from './measure'
import type { Found } from './protocol'

type Cells = readonly [readonly string[], readonly (readonly string[])[]]

/** The tables of the results, with what their numbers mean. */
function tablesOf(results: readonly Result[], { limits }: Found): { readonly about: string; readonly cells: Cells }[] {
  const counts = { about: aboutCounts(LIBRARIES), cells: countsTable(results, LIBRARIES) }
  if (limits === null) return [counts]
  return [{ about: aboutTimes(ROUNDS), cells: timesTable(results, LIBRARIES, limits) }, counts]
}

function textOf(results: readonly Result[], found: Found): string {
  return [
    '## myelin on a GPU, in a page',
    '',
    ...found.lines,
    ...(found.limits === null ? [] : [limitsLine(found.limits)]),
    `- myelin ${version}, ${navigator.userAgent}, ${new Date().toISOString().slice(0, 10)}`,
    '',
    ...tablesOf(results, found).flatMap(({ about, cells: [head, body] }) => [about, '', table(head, body), '']),
    ...whyLines(results, LIBRARIES),
  ].join('\n')
}

function Page() {
  const [status, setStatus] = useState('')
  const [found, setFound] = useState<Found | null>(null)
  const [results, setResults] = useState<readonly Result[]>([])
  const [isMeasuring, setMeasuring] = useState(false)
  const [isDone, setDone] = useState(false)

  const measure = async (): Promise<void> => {
    setMeasuring(true)
    setDone(false)
    const computers = { gpu: new Computer(), wasm: new Computer() }
    try {
      setStatus('Measuring what the GPU can do …')
      const gpu = await computers.gpu.ask('find', null)
      setFound(gpu)
      if (gpu.lines.length === 0) return setStatus(`Nothing to measure: ${gpu.note}.`)
      let all: readonly Result[] = []
      const ids = idsOf(gpu)
      for (const [i, id] of ids.entries()) {
        setStatus(`${i + 1} of ${ids.length}: ${rows[id]!.title} …`)
        all = [...all, ...(await measureRow(id, computers, gpu.limits === null))]
        setResults(all)
      }
      setStatus('')
      setDone(true)
    } catch (error) {
      setStatus(error instanceof Error ? error.message : String(error))
    } finally {
      for (const computer of Object.values(computers)) computer.end()
      setMeasuring(false)
    }
  }
  const isSoftware = found !== null && found.lines.length > 0 && found.limits === null
  return (
    <main class="measure">
      <h1>
        myelin <span>measure this GPU</span>
      </h1>
      <p>
        This page times products, training steps and predictions on the GPU of this computer through WebGPU, and the
        same with WebAssembly on one thread of the processor. It takes some minutes and sends nothing. Close other pages
        first, and leave this one in front.
      </p>
      <p>
        <Button kind="primary" title="Begins, or begins again" isDisabled={isMeasuring} onClick={() => void measure()}>
          {isMeasuring ? 'Measuring' : 'Measure'}
        </Button>{' '}
        <a href="./">Playground</a>
      </p>
      <p role="status" class="soft">
        {status}
      </p>
      {isSoftware && <p class="plain">{found.note}. So only calls are counted: times would mean nothing.</p>}
      {found !== null && results.length > 0 && (
        <>
          {tablesOf(results, found).map(({ about, cells }) => (
            <Table key={about} about={about} cells={cells} />
          ))}
          {isDone && !isSoftware && <p>{request(bugs)}</p>}
          {isDone && <ToSend text={textOf(results, found)} />}
        </>
      )}
    </main>
  )
}

function Table({ about, cells: [head, body] }: { readonly about: string; readonly cells: Cells }) {
  return (
    <section class="card">
      <p class="soft">{about.replaceAll('`', '')}</p>
      <div class="scroll" tabIndex={0} role="group" aria-label="Results, scrollable">
        <table>
          <thead>
            <tr>
              {head.map((each) => (
                <th scope="col" key={each}>
                  {each.replaceAll('`', '')}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {body.map(([title, ...others]) => (
              <tr key={title}>
                <th scope="row">{title}</th>
                {others.map((each, i) => (
                  <td key={head[i + 1]}>{each}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function ToSend({ text }: { readonly text: string }) {
  const [isCopied, setCopied] = useState(false)
  return (
    <section class="card">
      <header>
        <h2>What to send</h2>
        <Button
          title="Copies the text"
          onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
        >
          {isCopied ? 'Copied' : 'Copy'}
        </Button>
        <a href={bugs}>Issues</a>
      </header>
      <textarea readOnly rows={16} aria-label="What to send" value={text} />
    </section>
  )
}

const host = document.getElementById('app')!
host.replaceChildren()
render(<Page />, host)
