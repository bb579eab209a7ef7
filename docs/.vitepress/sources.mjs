// The Markdown of the site: docs/ as it is, some documents of the repository beside it, and the API reference. Links that leave the
// site point to the repository.

import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const pages = join(root, 'build/docs')
const REPOSITORY = 'https://github.com/myelin-js/myelin/blob/main/'

/** Documents outside of docs/ and the pages that show them. */
const ALSO = {
  'CONTRIBUTING.md': 'contributing.md',
  'CHANGELOG.md': 'changelog.md',
  'bench/README.md': 'benchmarks.md',
  'examples/README.md': 'examples.md',
  'docs/decisions/README.md': 'decisions/index.md',
}

/** The page that shows a file of the repository; null if none does. */
function pageOf(path) {
  if (path in ALSO) return ALSO[path]
  return path.startsWith('docs/') && !path.endsWith('/') ? path.slice('docs/'.length) : null
}

/** The target of a link in a document, seen from its page. */
function linkFrom(document, target) {
  if (/^(?:[a-z]+:|#|\/)/.test(target)) return target
  const [path, anchor] = target.split('#')
  const file = posix.join(posix.dirname(document), path)
  const page = pageOf(file)
  const end = anchor === undefined ? '' : `#${anchor}`
  return page === null || !/\.(?:md|svg)$/.test(file)
    ? REPOSITORY + file + end
    : `${posix.relative(posix.dirname(pageOf(document)), page).replace(/^(?!\.)/, './')}${end}`
}

const CODE = /(^ *```[\s\S]*?^ *```$|`[^`\n]*`)/m

/** A document as a page: its links, and text that Vue would take for its own. */
export function toPage(document, text) {
  return text
    .split(CODE)
    .map((part, i) => {
      if (i % 2 === 1)
        return part.startsWith('`') && !part.startsWith('``') && part.includes('{{')
          ? `<code v-pre>${part.slice(1, -1)}</code>`
          : part
      return part.replace(/\]\(([^)\s]+)\)/g, (_, target) => `](${linkFrom(document, target)})`)
    })
    .join('')
}

/** Files that the front page and the browser ask for by their address. */
const PUBLIC = { 'docs/pictures/decision.svg': 'pictures/decision.svg', 'docs/.vitepress/icon.svg': 'icon.svg' }

/** Copies the documents, without the API reference. */
export function copyDocuments() {
  for (const [file, to] of Object.entries(PUBLIC)) cpSync(join(root, file), join(pages, 'public', to))
  const all = readdirSync(join(root, 'docs'), { recursive: true })
    .filter((file) => /\.(?:md|svg)$/.test(file) && !/^(?:node_modules|\.vitepress)/.test(file))
    .map((file) => `docs/${file}`)
  for (const document of new Set([...all, ...Object.keys(ALSO)])) {
    const to = join(pages, pageOf(document))
    mkdirSync(dirname(to), { recursive: true })
    if (document.endsWith('.md')) writeFileSync(to, toPage(document, readFileSync(join(root, document), 'utf8')))
    else cpSync(join(root, document), to)
  }
}

export function removePages() {
  rmSync(pages, { recursive: true, force: true })
}
