// The tab Code: the model in TypeScript and in Keras, to copy.

import { useState } from 'preact/hooks'
import { kerasCode, typescriptCode } from '../model/code'
import { Button } from './fields'
import { session } from './session'
import { useStore } from './store'

export function Code() {
  const described = useStore(session.described)
  useStore(session.state)
  const { network } = session
  if (described === null || network === null) return <div class="waiting" aria-busy="true" />
  return (
    <div class="codes">
      <Listing title="TypeScript" text={typescriptCode(network, described.form)} comment="//" />
      <Listing title="Python, Keras" text={kerasCode(network, described.form)} comment="#" />
    </div>
  )
}

function Listing({
  title,
  text,
  comment,
}: {
  readonly title: string
  readonly text: string
  readonly comment: string
}) {
  const [isCopied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), 1500)
  }
  return (
    <section class="card listing" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <Button kind="quiet" title={`Copies the ${title} code`} onClick={() => void copy()}>
          {isCopied ? 'Copied' : 'Copy'}
        </Button>
      </header>
      <pre tabIndex={0} aria-label={`${title} code`}>
        <code>
          {parts(text, comment).map(([kind, part], i) =>
            kind === '' ? (
              part
            ) : (
              <span key={i} class={kind}>
                {part}
              </span>
            ),
          )}
        </code>
      </pre>
    </section>
  )
}

const WORDS = /^(?:import|from|const|await|new)$/

/** Comments, strings, numbers and words of the language. */
function parts(text: string, comment: string): [string, string][] {
  const pattern = new RegExp(
    `(${comment}.*)|('[^']*'|"[^"]*")|(\\b\\d[\\d.e-]*)|(\\b[A-Za-z]\\w*)|([^A-Za-z0-9'"#/]+|.)`,
    'g',
  )
  return [...text.matchAll(pattern)].map(([all, remark, string, number, word]) => [
    remark !== undefined
      ? 'remark'
      : string !== undefined
        ? 'string'
        : number !== undefined
          ? 'number'
          : word !== undefined && WORDS.test(word)
            ? 'word'
            : '',
    all,
  ])
}
