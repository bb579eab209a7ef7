// The documents agree with the repository: targets of links exist, names exist, figures are those of the code, and listings
// are what the library prints. pages.test.ts runs the code.
// modes: simd

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Opcode } from '../../assembly/shared/opcodes'
import * as myelin from '../../src'
import * as pages from '../../scripts/pages.mjs'
import * as balance from '../../src/entries/balance'
import { constraints } from '../../src/parts/constraints/registry'
import * as data from '../../src/entries/data'
import * as explain from '../../src/entries/explain'
import * as keras from '../../src/entries/keras'
import * as language from '../../src/entries/language'
import { layers } from '../../src/layers/registry'
import { optimizers } from '../../src/optimizers/registry'
import { schedules } from '../../src/optimizers/schedule-registry'
import * as onnx from '../../src/entries/onnx'
import * as tfjs from '../../src/entries/tfjs'
import * as plot from '../../src/entries/plot'
import * as predict from '../../src/entries/predict'
import * as search from '../../src/entries/search'
import * as standalone from '../../src/entries/standalone'
import { MOST_PRODUCTS } from '../../src/engine/primitives/quantized'
import { FUNCTION } from '../../src/engine/primitives/flops'
import { PART_WORK } from '../../src/engine/tape/parts'
import * as thrift from '../../src/entries/thrift'
import * as webgpu from '../../src/entries/webgpu'
import * as weights from '../../src/entries/weights'
import { WATTS_PER_CORE, WATTS_PER_GB } from '../../src/thrift/energy'
import { readDocument } from '../helpers/documented'
import { allModes } from '../helpers/modes'
import { withSettings } from '../helpers/with-settings'

/** All files below folders, without those that are installed or built. */
function filesBelow(...folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = posix.join(folder, entry.name)
      if (entry.isFile()) return [path]
      return entry.isDirectory() && !['node_modules', 'binaries', 'build'].includes(entry.name) ? filesBelow(path) : []
    }),
  )
}

const files = filesBelow('src', 'assembly', 'tests', 'scripts', 'examples', 'bench', 'docs', 'grow', '.ci')
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...files.filter((file) => /^docs\/.*\.md$/.test(file)),
]
const textOf = new Map(documents.map((document) => [document, readDocument(document)]))
const manifest = JSON.parse(readDocument('package.json')) as {
  readonly scripts: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly engines: { readonly node: string }
}

const FENCE = /^( *)```(\w*)\n([\s\S]*?)^ *```$/gm

/** The text outside of code blocks. */
const proseOf = (text: string): string => text.replace(FENCE, '')

/** The texts in backticks. */
const spansOf = (text: string): string[] =>
  [...proseOf(text).matchAll(/`([^`\n]+(?:\n[^`\n]+)?)`/g)].map(([, span]) => span!)

/** The code in JavaScript and TypeScript. */
const blocksOf = (text: string): string[] =>
  [...text.matchAll(FENCE)].flatMap(([, , language, code]) => (/^[jt]s$/.test(language!) ? [code!] : []))

/** The number of members of an enum. */
const countOf = (members: object): number => Object.values(members).filter((value) => typeof value === 'number').length

/** One test for each document, which lists everything that is wrong in it. */
function eachDocument(what: string, problemsOf: (text: string, document: string) => readonly string[]): void {
  it.each(documents)(`${what}: %s`, (document) => {
    expect(problemsOf(textOf.get(document)!, document)).toEqual([])
  })
}

describe('links', () => {
  const anchorsIn = new Map<string, Set<string>>()

  /** The anchors that GitHub gives the headings of a document. */
  function anchorsOf(document: string): Set<string> {
    const anchors = anchorsIn.get(document) ?? new Set<string>()
    if (anchorsIn.has(document)) return anchors
    anchorsIn.set(document, anchors)
    for (const [, heading] of proseOf(readDocument(document)).matchAll(/^#+ (.*)$/gm)) {
      const anchor = heading!
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\-_ ]/gu, '')
        .replaceAll(' ', '-')
      let unique = anchor
      for (let i = 1; anchors.has(unique); i++) unique = `${anchor}-${i}`
      anchors.add(unique)
    }
    return anchors
  }

  const others = files.filter((file) => file.endsWith('.md') && !documents.includes(file))

  it.each([...documents, ...others])('have existing targets: %s', (document) => {
    const prose = proseOf(readDocument(document)).replace(/`[^`\n]*`/g, '')
    const links = [...prose.matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)].map(([, to, html]) => to ?? html!)
    const broken = links.filter((link) => {
      if (/^(?:https?|mailto):/.test(link)) return false
      const [path, anchor] = link.split('#') as [string, string?]
      const target = path === '' ? document : posix.join(posix.dirname(document), path)
      return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).has(anchor))
    })
    expect(broken).toEqual([])
  })
})

describe('pictures', () => {
  it.each(files.filter((file) => file.endsWith('.svg')))('%s is ASCII, for pages without a charset', (file) => {
    expect(readFileSync(file, 'utf8')).toMatch(/^[\0-\x7f]+$/)
  })
})

describe('names', () => {
  const roots = new Set(['.ci', 'assembly', 'bench', 'build', 'dist', 'docs', 'examples', 'scripts', 'src', 'tests'])
  const folders = new Set(files.flatMap((file) => file.split('/').map((_, i, parts) => parts.slice(0, i).join('/'))))

  /** Files that readers write. */
  const OF_USERS = new Set(['fruit.mjs', 'trainer.js'])

  /** A file or folder of the repository, by its path from the root, from src or from the document, or by its end. */
  function isPath(path: string, document: string): boolean {
    const plain = posix.normalize(path.replace(/\/$/, ''))
    const candidates = [plain, posix.join('src', plain), posix.join(posix.dirname(document), plain)]
    if (candidates.some((each) => folders.has(each) || existsSync(each))) return true
    return files.some((file) => file.endsWith(`/${plain}`))
  }

  /** What is wrong with a text in backticks that looks like a path of this project; null if nothing, or if it is no path. */
  function pathProblem(span: string, document: string): string | null {
    const [, path, line] = /^((?:[\w.@*-]+\/)*[\w.@*-]+\/?)(?::(\d+))?$/.exec(span) ?? []
    if (path === undefined) return null
    const [first] = path.split('/') as [string]
    const isOurs = path.includes('/') ? roots.has(first) || isPath(first, document) : /\.(?:[mc]?ts|mjs|py)$/.test(path)
    // What builds write, an ending of names, what is installed, and a placeholder.
    if (
      !isOurs ||
      /^(?:build|dist|site\/(?:dist|screenshots)\b)|^\.\w+$|binaries|node_modules|\bNAME\b/.test(path) ||
      OF_USERS.has(path)
    )
      return null
    if (!isPath(path.replace(/\/?\*.*$/, ''), document)) return span
    if (line === undefined || Number(line) <= readFileSync(path, 'utf8').split('\n').length) return null
    return `${span}: the file is shorter`
  }

  eachDocument('paths exist', (text, document) => spansOf(text).flatMap((span) => pathProblem(span, document) ?? []))

  eachDocument('commands exist', (text) => {
    const scripts = [...text.matchAll(/npm run ([\w:]+)|npm (test)\b/g)].map(([, name, test]) => name ?? test!)
    const programs = [...text.matchAll(/\bnode (?:--\S+ )*((?:bench|docs|examples|scripts)\/[\w./-]*\w)/g)]
    const projects = [...text.matchAll(/--project (\w+)/g)].map(([, mode]) => mode!)
    const paths = [...text.matchAll(/['`](myelin\/\w+)['`]/g)].map(([, name]) => name!)
    return [
      ...scripts.filter((name) => !(name in manifest.scripts)),
      ...programs.map(([, path]) => path!).filter((path) => !existsSync(path)),
      ...projects.filter((mode) => !allModes.some((known) => known === mode)),
      ...paths.filter((name) => !(name.replace('myelin', '.') in manifest.exports)),
    ]
  })

  /** Names of other software, and of an example of a mistake: they occur in no source. */
  const foreign = new Set([
    'moduleResolution',
    'onEpochEnded',
    'unstable_enablePackageExports',
    'assetExts',
    'unstable_transformImportMeta',
    'MetaProperty',
    'replaceWith',
    'resolveAssetSource',
    // Of a comment in an excerpt.
    'Default',
  ])

  /** The words of the code, without lines of comments: what only a comment mentions does not exist. */
  const words = new Set(
    [...files.filter((file) => /\.(?:m?[jt]s|py|rc)$/.test(file)), 'package.json', 'asconfig.json']
      .filter((file) => file !== 'tests/docs/docs.test.ts' && !/readers\/\w+\/binary\.ts$/.test(file))
      .flatMap((file) =>
        readFileSync(file, 'utf8')
          .replace(/^\s*(?:\/\/|\*|\/\*|#).*$/gm, '')
          .split(/[^\w$]+/),
      ),
  )

  /** Whether a word is a name in code: as it is, as the name by which users choose a class, or completed by 1D, 2D and 3D. */
  const exists = (word: string): boolean =>
    [word, word[0]!.toUpperCase() + word.slice(1), `${word}2D`].some((name) => words.has(name))

  /** The words in camelCase or PascalCase. */
  const identifiersOf = (code: string): string[] =>
    (code.match(/[A-Za-z_$][\w$]*/g) ?? []).filter((word) => /[a-z][A-Z]|[A-Z]{2}.*[a-z]|^[A-Z][a-z]+\w/.test(word))

  eachDocument('identifiers exist', (whole, document) => {
    // tests/api/keras.test.ts compares the names in the tables of this document.
    const ours = document === 'docs/keras.md' ? whole.split('## `keras`')[0]! : whole
    // The first column of the tables of these pages, and their text, name what other libraries have.
    const text = /^docs\/(?:from-|keras-hub)/.test(document) ? ours.replace(/^\| .*? \|(?= .* \|$)/gm, '|') : ours
    const blocks = blocksOf(text).map((code) => code.replace(/\/\/.*|\/\*.*?\*\//g, ''))
    const declared = blocks.flatMap((code) => [
      ...code.matchAll(/\b(?:class|function|const) (\w+)|\b(\w+): (?:option|required)\(/g),
    ])
    const unpacked = blocks.flatMap((code) => [
      ...code.matchAll(/\b(?:const|let) [[{]([^=]*)[\]}] =|\(([\w, {}[\]]*)\) =>/g),
    ])
    const known = new Set([
      ...declared.map(([, name, option]) => name ?? option),
      ...unpacked.flatMap(([, names, parameters]) => (names ?? parameters!).split(/\W+/)),
    ])
    const spans = spansOf(text).filter((span) => !/^[@\w.-]*\/|^--|^https?:/.test(span))
    return [...new Set([...spans, ...blocks].flatMap(identifiersOf))].filter(
      // xVal, testY: data that an example takes for granted
      (word) => !exists(word) && !foreign.has(word) && !known.has(word) && !/^[xy][A-Z]\w*$/.test(word),
    )
  })

  const entries: Readonly<Record<string, object>> = {
    myelin,
    'myelin/balance': balance,
    'myelin/data': data,
    'myelin/explain': explain,
    'myelin/keras': keras,
    'myelin/language': language,
    'myelin/onnx': onnx,
    'myelin/tfjs': tfjs,
    'myelin/plot': plot,
    'myelin/predict': predict,
    'myelin/search': search,
    'myelin/standalone': standalone,
    'myelin/thrift': thrift,
    'myelin/webgpu': webgpu,
    'myelin/weights': weights,
  }

  eachDocument('imports are exported', (text) =>
    blocksOf(text).flatMap((code) =>
      [...code.matchAll(/^ *import \{([^}]*)\} from '(myelin[^']*)'/gm)].flatMap(([, list, entry]) =>
        list!
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name !== '' && !(name in entries[entry!]!)),
      ),
    ),
  )

  // The temperature is the best one for the rows on which it is fitted, so their calibration error is too small.
  eachDocument('the calibration error is measured on other rows than those of the temperature', (text) => {
    const fitted = [...text.matchAll(/temperatureScaling\(\w+, (\w+)/g)].map(([, rows]) => rows!)
    const measured = [...text.matchAll(/(?:expectedCalibrationError|reliabilityDiagram)\(await \w+\.predict\((\w+)/g)]
    return measured.map(([, rows]) => rows!).filter((rows) => fitted.includes(rows))
  })

  it('CONTRIBUTING has every script and every mode', () => {
    const spans = new Set(spansOf(textOf.get('CONTRIBUTING.md')!).flatMap((span) => span.split(' ').at(-1)!))
    const scripts = Object.keys(manifest.scripts).filter((name) => !name.startsWith('pre') && !name.startsWith('test'))
    expect([...scripts, ...allModes].filter((name) => !spans.has(name))).toEqual([])
  })

  it('docs/features.md has every optimizer, schedule, constraint and callback', () => {
    const all = [optimizers.all, schedules.all, constraints.all, myelin.callbacks].flatMap((table) =>
      Object.keys(table),
    )
    // The first two are placeholders for functions; the others are not callbacks that users choose.
    const unlisted = new Set(['LambdaConstraint', 'LambdaSchedule', 'Callback', 'BrowserStore'])
    const spans = new Set(spansOf(textOf.get('docs/features.md')!))
    expect(all.filter((name) => !spans.has(name) && !unlisted.has(name))).toEqual([])
  })

  it('the index has every decision with its title', () => {
    const index = textOf.get('docs/decisions/README.md')!
    const pages = documents.filter((file) => /^docs\/decisions\/\d/.test(file))
    const lines = pages.map((file) => {
      const [, number, title] = /^# (\d{4}) (.*)/.exec(textOf.get(file)!)!
      return `- [${number}](${posix.basename(file)}) ${title}`
    })
    const listed = index.split('\n').filter((line) => line.startsWith('- '))
    expect(listed.map((line) => line.replace(/ \(superseded by \d{4}\)$/, ''))).toEqual(lines)
  })
})

describe('figures', () => {
  const checks = readDocument('scripts/check-package.mjs')
  const limit = (name: string): number => {
    const [, digits] = new RegExp(String.raw`\b${name}: ([\d_]+)`).exec(checks)!
    return Number(digits!.replaceAll('_', '')) / 1000
  }

  /** A constant of a source, which is a number or a product of numbers. */
  function constant(file: string, name: string): number {
    const [, value] = new RegExp(String.raw`\bconst ${name}(?:: \w+)? = ([\d_.* ]+)`).exec(readDocument(file))!
    const factors = value!.replaceAll('_', '').split(/(?<!\*) ?\* ?(?!\*)/)
    return factors.reduce((product, factor) => {
      const [base, exponent = '1'] = factor.split('**')
      return product * Number(base) ** Number(exponent)
    }, 1)
  }

  const binaries = readdirSync('assembly/families').length + 1
  const words: Readonly<Record<string, number>> = {
    two: 2,
    three: 3,
    four: 4,
    five: 5,
    six: 6,
    seven: 7,
    eight: 8,
    hundred: 100,
    thousand: 1000,
  }
  const MEBIBYTE = 2 ** 20

  /** Documents, patterns whose groups are figures, and the figures that the repository has. */
  const figures: readonly (readonly [document: string, pattern: RegExp, actual: readonly number[]])[] = [
    ['README.md', /in one of (\w+) modes/, [allModes.length]],
    ['docs/features.md', /(\w+) small JavaScript packages/, [Object.keys(manifest.dependencies).length]],
    [
      'docs/features.md',
      /to the event loop between steps, about\s+every (\d+) ms/,
      [constant('src/data/samples/pace.ts', 'SLICE')],
    ],
    ['docs/worker.md', /to the event loop about every (\d+) ms/, [constant('src/data/samples/pace.ts', 'SLICE')]],
    ['docs/speed.md', /`fit` yields every (\d+) ms/, [constant('src/data/samples/pace.ts', 'SLICE')]],
    ['docs/speed.md', /makes up to (\d+) steps in one call/, [constant('src/data/samples/pace.ts', 'MOST_UNSEEN')]],
    ['CHANGELOG.md', /event loop every (\d+) ms/, [constant('src/data/samples/pace.ts', 'SLICE')]],
    ['docs/architecture.md', /every (\d+) ms/, [constant('src/data/samples/pace.ts', 'SLICE')]],
    ['docs/architecture.md', /up to (\d+) steps/, [constant('src/data/samples/pace.ts', 'MOST_UNSEEN')]],
    [
      'docs/architecture.md',
      /has at most (\d+) MB/,
      [constant('src/data/samples/row-source.ts', 'LARGEST_RESIDENT') / MEBIBYTE],
    ],
    [
      'docs/architecture.md',
      /up to (\d+) MB per model/,
      [constant('src/engine/runtime/program-cache.ts', 'LARGEST') / MEBIBYTE],
    ],
    ['docs/data.md', /first (\w+) rows/, [constant('src/data/readers/csv/read-csv.ts', 'SAMPLE')]],
    ['docs/data.md', /first (\w+) errors/, [constant('src/data/readers/faults.ts', 'MOST')]],
    ['docs/thrift.md', /(\d+) W per busy core/, [WATTS_PER_CORE]],
    ['docs/thrift.md', /([\d.]+) W per GB/, [WATTS_PER_GB]],
    ['docs/thrift.md', /similar functions \| (\d+) \|/, [FUNCTION]],
    ['docs/thrift.md', /([\d,]+) products/, [MOST_PRODUCTS]],
    ['docs/decisions/0009-threads.md', /polls (\d+) times/, [constant('assembly/barrier.ts', 'SPINS')]],
    ['docs/decisions/0009-threads.md', /at least (\d+) µs/, [PART_WORK / 1000]],
    [
      'docs/decisions/0010-turbo-and-tiles.md',
      /if it does ([\d.]+) times/,
      [constant('src/engine/runtime/wasm/turbo.ts', 'PAIRED')],
    ],
    ['docs/decisions/0013-readable-modules.md', /limits that to ([\d.]+) kB/, [limit('bundled')]],
    ['docs/decisions/0017-readers.md', /use (\w+) packages/, [Object.keys(manifest.dependencies).length]],
    ['docs/decisions/0018-targets.md', /(\d+) instructions and/, [countOf(Opcode)]],
    ['docs/decisions/0019-kernel-families.md', /into (\w+) WebAssembly binaries/, [binaries]],
  ]

  it.each(figures)('%s: %s', (document, pattern, actual) => {
    // A figure and its unit may be on two lines.
    const found = pattern.exec(textOf.get(document)!.replace(/\s+/g, ' '))?.slice(1)
    expect(found?.map((figure) => words[figure] ?? Number(figure.replaceAll(',', '')))).toEqual(actual)
  })

  // What is measured when a package is checked is below a limit, which is close to it.
  it.each([
    ['docs/worker.md', /to (\d+) kB gzipped/, limit('bundled')],
    ['docs/decisions/0013-readable-modules.md', /`\{ Sequential, Dense \}`.*\| (\d+) kB/, limit('bundled')],
    ['docs/decisions/0013-readable-modules.md', /as published \| (\d+) kB/, limit('published')],
  ] as const)('%s: size %s', (document, pattern, most) => {
    const size = Number(pattern.exec(textOf.get(document)!)![1])
    expect(size).toBeLessThanOrEqual(most)
    expect(size).toBeGreaterThanOrEqual(0.95 * most)
  })

  it('models of others are as fast as the README claims', () => {
    const [, measured] = /<!-- real-models:start -->([^]*?)<!-- real-models:end -->/.exec(textOf.get('docs/files.md')!)!
    const ratios = [...measured!.matchAll(/([\d.]+)×(?= \|)/g)].map(([, figure]) => Number(figure))
    const [, least, most] = /predict ([\d.]+) to ([\d.]+) times as\s+fast/.exec(textOf.get('README.md')!)!
    expect([least, most].map(Number)).toEqual(
      [Math.min(...ratios), Math.max(...ratios)].map((each) => Number(each.toFixed(1))),
    )
    // The goal.
    expect(Math.min(...ratios)).toBeGreaterThanOrEqual(1.3)
  })

  it('there are as many layers as the README claims', () => {
    expect(textOf.get('README.md')).toMatch(/more than a hundred layers/)
    expect(Object.keys(layers.all).length).toBeGreaterThan(100)
  })

  it('versions of Node and Keras are those of the package and of the fixtures', () => {
    const { node } = manifest.engines
    const keras = /^keras==(\d+\.\d+)/m.exec(readDocument('tests/golden/requirements.txt'))![1]!
    const wrong = documents.flatMap((document) => {
      const text = textOf.get(document)!
      const needed = [...text.matchAll(/Node\s+([\d.]+), ([\d.]+) or\s+newer/g)].map(
        ([, old, next]) => `^${old}.0 || >=${next}.0`,
      )
      const compared = [...text.matchAll(/Keras (3\.\d+)/g)].map(([, version]) => version!)
      return [...needed.filter((range) => range !== node), ...compared.filter((version) => version !== keras)]
    })
    expect(wrong).toEqual([])
    for (const document of ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'])
      expect(textOf.get(document)).toMatch(/Node\s+[\d.]+, [\d.]+ or\s+newer/)
  })

  it('0019 names every family', () => {
    const spans = new Set(spansOf(textOf.get('docs/decisions/0019-kernel-families.md')!))
    const families = readdirSync('assembly/families').map((file) => file.replace('.ts', ''))
    expect(families.filter((family) => !spans.has(family))).toEqual([])
  })
})

describe('listings', () => {
  /** The lines of a listing that a text does not contain in this order; `…` matches anything. */
  function missingLines(shown: string, text: string): string[] {
    const rest = text.split('\n')
    return shown
      .trimEnd()
      .split('\n')
      .filter((line) => {
        const parts = line.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
        const pattern = new RegExp(`^${parts.join('.*')}$`)
        const at = rest.findIndex((each) => pattern.test(each))
        rest.splice(0, at + 1)
        return at < 0
      })
  }

  const quoted = documents.flatMap((document) =>
    pages
      .blocksOf(document)
      .flatMap(({ file, code }) =>
        file !== null && existsSync(file) && !/^.*, a new \w+\n/.test(code) ? [[document, file, code] as const] : [],
      ),
  )

  it.each(quoted)('%s quotes %s', (_document, file, code) => {
    // Code without its comments, and without the indentation of the file.
    const plain = (text: string): string =>
      text
        .replace(/^ *(?:\/\/|\/?\*).*\n/gm, '')
        .replace(/ \/\* … \*\/ \}$/gm, '…')
        .replace(/^ +|,$/gm, '')
    expect(missingLines(plain(code), plain(readDocument(file)))).toEqual([])
  })

  const architecture = textOf.get('docs/architecture.md')!
  const listing = (mark: string): string =>
    new RegExp(String.raw`<!-- ${mark} -->\n\`\`\`\w*\n([\s\S]*?)\`\`\``).exec(architecture)![1]!

  /** What the example prints about its step. */
  function printed(): string {
    const [, code] = /^import .*\n([\s\S]*?)^for /m.exec(pages.programOf('docs/architecture.md')!)!
    const { Dense, Sequential, disassemble } = myelin
    // oxlint-disable-next-line typescript/no-implied-eval -- the code comes from our own documentation
    const model = new Function('Sequential', 'Dense', `${code}; return model`)(Sequential, Dense) as myelin.Model
    return [...disassemble(model).values()].join('\n')
  }

  it('the graph is that of the step', async () => {
    const text = await withSettings({ backend: 'interpreter' }, printed)
    expect(missingLines(listing('graph'), text)).toEqual([])
  })

  it('the tape is that of the step', () => {
    const text = printed()
    expect(missingLines(listing('tape'), text)).toEqual([])
    expect(text.match(/^ *\d+ {2}[A-Z]/gm)).toHaveLength(9)
    expect(architecture).toContain('nine instructions')
  })

  it('docs/tape.md reads an instruction of it', () => {
    const [shown] = /^ {3}84 {2}Chain[\s\S]*?(?=^```)/m.exec(textOf.get('docs/tape.md')!)!
    expect(missingLines(shown, printed())).toEqual([])
  })
})
