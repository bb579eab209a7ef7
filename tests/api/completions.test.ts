// What editors propose for options that take a name: all names that are known, and none that needs more than a name. And what they
// show of options: names of types in the place of all their members.
// modes: simd

import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { getActivation } from '../../src/parts/activations'
import type { Configurable, Registry } from '../../src/core/registry'
import { constraints } from '../../src/parts/constraints/registry'
import { initializers } from '../../src/parts/initializers/registry'
import { getLoss, losses } from '../../src/losses/registry'
import { getMetric, metrics } from '../../src/metrics/registry'
import { UNKNOWN_SHAPES } from '../../src/losses/targets'
import { optimizers } from '../../src/optimizers/registry'
import { regularizers } from '../../src/parts/regularizers/registry'

const FILE = 'tests/api/completions-of-an-editor.ts'
/** Each `|` is a position at which an editor completes. */
const text = `
import { Adam, Conv2D, Dense, Dropout, LSTM, MultiOptimizer, Sequential, ops, random } from '../../src'
const model = new Sequential([])
new Dense({ units: 1, activation: '|' })
new Dense({ units: 1, kernelInitializer: '|' })
new Conv2D({ filters: 1, kernelSize: 1, biasInitializer: '|' })
new Dense({ units: 1, kernelRegularizer: '|' })
new Dense({ units: 1, activityRegularizer: '|' })
new Dense({ units: 1, kernelConstraint: '|' })
model.compile({ optimizer: '|' })
new MultiOptimizer({ optimizers: [['|']] })
model.compile({ loss: '|' })
model.compile({ metrics: ['|'] })
new Dense({ | })
new Conv2D({ | })
new LSTM({ |units: 1 })
new Dropout({ | })
new Adam({ | })
model.compile({ | })
model.fit([[1]], [1], { | })
ops.topK([1, 2], { | })
ops.clip({ | })
ops.image.resize([], { |size: 2 })
random.normal({ | })
ops.topK([1], { k: 1 })
`

const { config } = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path))
const { options: ownOptions } = ts.parseJsonConfigFileContent(config, ts.sys, '.')
// As in most programs: types of options have fewer names then.
const options = { ...ownOptions, exactOptionalPropertyTypes: false }
const code = text.replaceAll('|', '')
const editor = ts.createLanguageService({
  useCaseSensitiveFileNames: () => true,
  directoryExists: (path) => ts.sys.directoryExists(path),
  getDirectories: (path) => ts.sys.getDirectories(path),
  getCompilationSettings: () => options,
  getScriptFileNames: () => [FILE],
  getScriptVersion: () => '0',
  getScriptSnapshot: (path) =>
    path === FILE || ts.sys.fileExists(path)
      ? ts.ScriptSnapshot.fromString(path === FILE ? code : readFileSync(path, 'utf8'))
      : undefined,
  fileExists: (path) => path === FILE || ts.sys.fileExists(path),
  readFile: (path) => (path === FILE ? code : ts.sys.readFile(path)),
  getCurrentDirectory: () => process.cwd(),
  getDefaultLibFileName: (own) => ts.getDefaultLibFilePath(own),
})

/** The names that an editor proposes, by the line of the position. */
const allProposals = text.split('\n').flatMap((line, i, lines) => {
  if (!line.includes('|')) return []
  const at = lines.slice(0, i).join('\n').replaceAll('|', '').length + 1 + line.indexOf('|')
  const found = editor.getCompletionsAtPosition(FILE, at, {})
  const entries = found?.entries ?? []
  const inOrder = [...entries].sort((a, b) => a.sortText.localeCompare(b.sortText) || a.name.localeCompare(b.name))
  return [
    {
      line: line.replace('|', ''),
      names: entries.map(({ name }) => name).sort(),
      inOrder: inOrder.map(({ name }) => name),
      at,
    },
  ]
})

/** Of the options of a layer, an optimizer or a method. */
const ofObjects = allProposals.filter(({ line }) => /^(?:new|model).*\{ *(?:units: 1 )?\}\)/.test(line))
/** What editors show for options whose names end so. */
const UNIONS = {
  activation: 'ActivationIdentifier',
  initializer: 'InitializerIdentifier',
  regularizer: 'RegularizerIdentifier',
  constraint: 'ConstraintIdentifier',
}

/** Of options that take a name. */
const proposals = allProposals.filter(({ line }) => line.includes("''"))

function isKnown(make: () => unknown): boolean {
  try {
    make()
    return true
  } catch {
    return false
  }
}

/** The names of a registry that need no options. */
const namesOf = (registry: Registry<Configurable>): string[] =>
  registry.names.filter((name) => isKnown(() => registry.get(name)))

const byTargets = ['crossentropy', 'ce']
const rules = namesOf(optimizers)
const expected: readonly (readonly string[] | null)[] = [
  null,
  namesOf(initializers),
  namesOf(initializers),
  namesOf(regularizers),
  namesOf(regularizers),
  namesOf(constraints),
  rules,
  rules,
  [...namesOf(losses), ...byTargets],
  [...namesOf(metrics), ...byTargets, 'acc'],
]

describe('an editor proposes', () => {
  it.each(proposals.map((each, i) => ({ ...each, known: expected[i]! })).filter(({ known }) => known !== null))(
    'all names that are known, and no others: $line',
    ({ names, known }) => {
      expect(names).toEqual([...known].sort())
    },
  )

  it('only names that are accepted', () => {
    const [activations, kernel] = proposals.map(({ names }) => names)
    expect(kernel).toEqual(expect.arrayContaining(['glorotUniform', 'zeros', 'normal']))
    expect(activations).toEqual(expect.arrayContaining(['linear', 'relu', 'swish', 'hardSilu']))
    for (const name of activations!)
      expect(
        isKnown(() => getActivation(name)),
        name,
      ).toBe(true)
    for (const name of proposals.at(-2)!.names)
      expect(
        isKnown(() => getLoss(name)),
        name,
      ).toBe(true)
    for (const name of proposals.at(-1)!.names)
      expect(
        isKnown(() => getMetric(name, UNKNOWN_SHAPES)),
        name,
      ).toBe(true)
  })
})

describe('an editor', () => {
  it('proposes the arguments of ops by their names', () => {
    const byName = allProposals.filter(({ line }) => /^(?:ops|random)\./.test(line)).map(({ names }) => names)
    const [topK, clip, resize, normal] = byName
    expect(topK).toEqual(['k', 'sorted'])
    // An operand and a shape may be an array, whose members are proposed as well.
    expect(clip).toEqual(expect.arrayContaining(['x', 'xMax', 'xMin']))
    expect(resize).toEqual(expect.arrayContaining(['antialias', 'fillMode', 'interpolation', 'size']))
    expect(normal).toEqual(expect.arrayContaining(['dtype', 'mean', 'seed', 'shape', 'stddev']))
  })

  it('proposes the options of layers, those that are required first', () => {
    const first = ofObjects.slice(0, 4).map(({ inOrder }) => inOrder.slice(0, 2))
    expect(first).toEqual([
      ['units', 'activation'],
      ['filters', 'kernelSize'],
      ['units', 'activation'],
      ['rate', 'activityRegularizer'],
    ])
  })

  it.each(ofObjects)('shows names of unions in the place of many members: $line', ({ names, at }) => {
    const shown = new Map(
      names.map((name) => {
        const { displayParts } = editor.getCompletionEntryDetails(FILE, at, name, {}, undefined, {}, undefined)!
        return [name, ts.displayPartsToString(displayParts)] as const
      }),
    )
    expect(shown.size).toBeGreaterThan(4)
    // TypeScript cuts a union of more than some twenty.
    expect([...shown.values()].filter((type) => / more \.\.\./.test(type) || type.split('"').length > 12)).toEqual([])
    for (const [name, type] of shown) {
      const [, wanted] = Object.entries(UNIONS).find(([end]) => name.toLowerCase().endsWith(end)) ?? []
      if (wanted !== undefined) expect(type).toBe(`(property) ${name}?: ${wanted} | null | undefined`)
    }
  })

  it('shows a constructor with all options that are required first', () => {
    const shownOf = (call: string): string =>
      ts.displayPartsToString(editor.getQuickInfoAtPosition(FILE, code.indexOf(call) + 4)!.displayParts)
    expect(shownOf('new Dense({ units: 1, activation')).toMatch(
      /^\(alias\) new Dense\(options: number \| \{\n +units: number;[^]*\n +activation\?: ActivationIdentifier \| null \| undefined;/,
    )
    expect(shownOf('new Conv2D({ filters: 1')).toMatch(
      /^\(alias\) new Conv2D\(options: \{\n +filters: number;\n +kernelSize: number \| readonly number\[\];\n +\w+\?/,
    )
  })

  it('shows an op with its arguments by name in words', () => {
    const hover = editor.getQuickInfoAtPosition(FILE, code.lastIndexOf('topK'))!
    expect(ts.displayPartsToString(hover.displayParts)).toMatch(
      /topK(?:: )?\(x: TensorLike, named: \{\n +readonly k: number;/,
    )
    expect(ts.displayPartsToString(hover.documentation)).toContain('The k largest elements')
    const size = editor.getQuickInfoAtPosition(FILE, code.indexOf('size: 2'))!
    expect(ts.displayPartsToString(size.documentation)).toContain('extents')
  })
})
