// Writes the API reference as Markdown, from the declarations and docstrings in src/: a page per family, for each name its
// signature, its formula, a table of its options with their defaults, and a link to its source.
//
// It asks TypeScript's checker itself. typedoc with typedoc-plugin-markdown needs 41 s and writes 12 MB, because it repeats the
// options of a layer at each of its members, and it does not show which values an option accepts.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))
const SOURCES = 'https://github.com/myelin-js/myelin/blob/main/'

/** The pages in the order of the sidebar: the file, the title, and the folders or files below src/ whose names it has. */
const PAGES = [
  ['models', 'Models', ['models', 'tables', 'namespaces/models']],
  ['training', 'Training and its data', ['training', 'data/samples', 'generation']],
  ['callbacks', 'Callbacks', ['training/callbacks']],
  ['layers', 'Layers: base and symbols', ['layers', 'namespaces/layers']],
  ['layers-core', 'Layers: core', ['layers/core']],
  ['layers-activations', 'Layers: activations', ['layers/activations']],
  ['layers-convolutional', 'Layers: convolution', ['layers/convolutional']],
  ['layers-pooling', 'Layers: pooling', ['layers/pooling']],
  ['layers-recurrent', 'Layers: recurrence', ['layers/recurrent']],
  ['layers-attention', 'Layers: attention', ['layers/attention']],
  ['layers-normalization', 'Layers: normalisation', ['layers/normalization']],
  ['layers-regularization', 'Layers: regularisation', ['layers/regularization']],
  ['layers-reshaping', 'Layers: shapes', ['layers/reshaping']],
  ['layers-merging', 'Layers: merging', ['layers/merging']],
  ['layers-preprocessing', 'Layers: preprocessing and augmentation', ['layers/preprocessing']],
  ['activations', 'activations', ['parts/activations', 'namespaces/activations']],
  ['losses', 'losses', ['losses', 'namespaces/losses']],
  ['metrics', 'metrics', ['metrics', 'namespaces/metrics']],
  ['optimizers', 'Optimizers', ['optimizers', 'namespaces/optimizers']],
  ['schedules', 'Schedules', ['optimizers/schedules', 'namespaces/schedules']],
  ['initializers', 'initializers', ['parts/initializers', 'namespaces/initializers']],
  ['regularizers', 'regularizers', ['parts/regularizers', 'namespaces/regularizers']],
  ['constraints', 'constraints', ['parts/constraints', 'namespaces/constraints']],
  ['functions', 'Tensors, gradients, jit', ['ops']],
  ['ops-numpy', 'ops: arrays', ['ops/numpy']],
  ['ops-nn', 'ops: networks', ['ops/nn']],
  ['ops-linalg', 'ops: linear algebra', ['ops/linalg']],
  ['ops-math', 'ops: mathematics', ['ops/math']],
  ['ops-image', 'ops: images', ['ops/image']],
  ['ops-control', 'ops: control flow', ['ops/control']],
  ['ops-second-names', 'ops: second names', ['ops/second-names']],
  ['random', 'random', ['ops/random']],
  ['saving', 'saving, utils, tree', ['files', 'namespaces']],
  ['settings', 'Settings and errors', ['engine/runtime', 'core']],
]
/** What has an import path of its own is a page of its own. */
const SUB_PATHS = [
  'balance',
  'data',
  'explain',
  'keras',
  'onnx',
  'plot',
  'predict',
  'search',
  'standalone',
  'tfjs',
  'thrift',
  'webgpu',
  'weights',
]

/** Where a name is shown: the page with the longest folder or file that contains its source. */
function pageOf(file) {
  const path = relative(join(root, 'src'), file)
  const fits = (place) =>
    path === `${place}.ts` || path.startsWith(`${place}/`) || (place.includes('/') && path.startsWith(place))
  const found = PAGES.flatMap(([page, , places]) =>
    places.filter(fits).map((place) => ({ page, length: place.length })),
  )
  return found.sort((a, b) => b.length - a.length)[0]?.page ?? 'training'
}

const lost = PAGES.flatMap(([, , places]) => places).filter(
  (place) => !existsSync(join(root, 'src', place)) && !existsSync(join(root, 'src', `${place}.ts`)),
)
if (lost.length > 0) throw new Error(`reference.mjs names folders or files that src/ does not have: ${lost.join(', ')}`)

const settings = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config.compilerOptions
const { options } = ts.convertCompilerOptionsFromJson(settings, root)
const entry = (name) => join(root, 'src', name === 'index' ? 'index.ts' : `entries/${name}.ts`)
const program = ts.createProgram(['index', ...SUB_PATHS].map(entry), options)
const checker = program.getTypeChecker()

const moduleOf = (name) => checker.getSymbolAtLocation(program.getSourceFile(entry(name)))
const exportsOf = (module) => checker.getExportsOfModule(module)
const resolve = (symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol)
/** What holds the documentation of a name: the first signature of a constant without its own, as most ops are. */
function documented(symbol) {
  if (!(symbol.flags & ts.SymbolFlags.Variable) || symbol.getDocumentationComment(checker).length > 0) return symbol
  return checker.getTypeOfSymbol(symbol).getCallSignatures()[0] ?? symbol
}
const tagsOf = (symbol) => documented(symbol).getJsDocTags(checker)
const isInternal = (symbol) => tagsOf(symbol).some(({ name }) => name === 'internal')
const textOf = (parts) => ts.displayPartsToString(parts)

/** Text outside of code as Markdown that Vue takes literally. */
const literal = (text) =>
  text
    .split(/(```[\s\S]*?```|`[^`\n]*`)/)
    .map((part, i) =>
      i % 2 === 1
        ? part
        : part.replace(/</g, '&lt;').replace(/\{\{/g, '{&#123;').replace(/\*/g, '\\*').replace(/\]\(/g, ']&#40;'),
    )
    .join('')
const cell = (text) => literal(text).replace(/\n/g, ' ').replace(/\|/g, '\\|').trim()
const code = (text) =>
  text === ''
    ? ''
    : `<code v-pre>${text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/\|/g, '&#124;').replace(/\{/g, '&#123;').replace(/\n\s*/g, ' ')}</code>`

/** Lines without the indentation that all of them have. */
function dedented(lines) {
  const least = Math.min(...lines.filter((line) => line !== '').map((line) => line.search(/\S/)))
  return lines.map((line) => line.slice(least)).join('\n')
}

/** A docstring as Markdown: lines that are indented after an empty one are code. */
function described(symbol) {
  const lines = textOf(documented(symbol).getDocumentationComment(checker)).split('\n')
  const out = []
  let fenced = false
  let prose = []
  const flush = () => {
    if (prose.length > 0) out.push(literal(prose.join('\n')))
    prose = []
  }
  for (let i = 0; i < lines.length; i++) {
    if (lines[i].startsWith('```')) fenced = !fenced
    const isCode = !fenced && /^ {2,}\S/.test(lines[i]) && (lines[i - 1] ?? '').trim() === ''
    if (!isCode) {
      prose.push(lines[i])
      continue
    }
    flush()
    const block = []
    while (
      i < lines.length &&
      /^ {2,}\S|^$/.test(lines[i]) &&
      !(lines[i] === '' && !/^ {2,}\S/.test(lines[i + 1] ?? ''))
    )
      block.push(lines[i++])
    i--
    out.push(`\`\`\`ts\n${dedented(block)}\n\`\`\``)
  }
  flush()
  return out.map((part) => part.trim()).join('\n\n')
}

/** Errors, parameters, examples. */
function details(symbol) {
  const out = []
  const parameters = []
  for (const { name, text } of tagsOf(symbol)) {
    const value = textOf(text).trim()
    if (name === 'param' && /\s/.test(value))
      parameters.push(
        `- ${code(value.split(/\s+/)[0])} ${cell(value.slice(value.search(/\s/)).replace(/^[\s-]+/, ''))}`,
      )
    if (name === 'throws') out.push(`**Throws** ${cell(value)}`)
    if (name === 'returns') out.push(`**Returns** ${cell(value)}`)
    if (name === 'example') out.push(value.startsWith('```') ? value : `\`\`\`ts\n${value}\n\`\`\``)
  }
  return [...(parameters.length > 0 ? [parameters.join('\n')] : []), ...out].join('\n\n')
}

const FLAGS = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope
const shortType = (type) => {
  const text = checker
    .typeToString(type, undefined, FLAGS)
    .replace(/import\("[^"]*"\)\./g, '')
    .replace(/ \| undefined/g, '')
    .replace(/readonly /g, '')
  return text.length > 120 ? `${text.slice(0, 117)}…` : text
}

const isOurs = (symbol) =>
  symbol.declarations?.some((each) => each.getSourceFile().fileName.startsWith(join(root, 'src'))) ?? false

/** The properties of the object of options that signatures take last; empty for none. */
function optionsOf(signatures) {
  const types = signatures.flatMap((signature) =>
    signature.parameters.flatMap((parameter) => {
      const type = checker.getTypeOfSymbol(parameter)
      return checker.isTupleType(type) ? checker.getTypeArguments(type) : [type]
    }),
  )
  const lists = types
    .map((type) => checker.getNonNullableType(type))
    .flatMap((type) => (type.isUnion() ? type.types : [type]))
    .filter(
      (type) =>
        (type.flags & ts.TypeFlags.Object) !== 0 &&
        type.getCallSignatures().length === 0 &&
        !type.isClass() &&
        !checker.isArrayType(type),
    )
    .map((type) =>
      checker.getPropertiesOfType(type).filter((each) => isOurs(each) && !(each.flags & ts.SymbolFlags.Method)),
    )
    .filter(
      (properties) =>
        properties.length > 0 &&
        !properties.some(
          ({ name }) => ['data', 'dtype'].includes(name) && properties.some((each) => each.name === 'shape'),
        ),
    )
  return lists.sort((a, b) => b.length - a.length)[0] ?? []
}

/** Classes whose options all their subclasses have, and the files that declare them. */
const ROOTS = {
  Layer: { page: 'layers', file: 'layers/layer.ts' },
  Optimizer: { page: 'optimizers', file: 'optimizers/optimizer.ts' },
  Loss: { page: 'losses', file: 'losses/loss.ts' },
  Metric: { page: 'metrics', file: 'metrics/metric.ts' },
}
const rootOf = (property) =>
  Object.keys(ROOTS).find((name) =>
    property.declarations?.some((each) => each.getSourceFile().fileName === join(root, 'src', ROOTS[name].file)),
  ) ?? null

/** @param of the class that has the options, or null */
function optionTable(properties, of = null) {
  const shown = properties.filter((each) => !isInternal(each) && !/^_|^\d/.test(each.name))
  if (shown.length === 0) return ''
  const own = shown.filter((each) => rootOf(each) === null || rootOf(each) === of)
  const shared = shown.filter((each) => !own.includes(each))
  const [base] = shared.map(rootOf)
  const rest =
    shared.length === 0
      ? ''
      : `Options of every [${base}](${ROOTS[base].page}.md#${base}): ${shared.map(({ name }) => code(name)).join(', ')}.`
  if (own.length === 0) return rest
  const rows = own.map(
    (each) =>
      `| ${code(each.name)} | ${code(shortType(checker.getTypeOfSymbol(each)))} | ${cell(textOf(each.getDocumentationComment(checker)))} |`,
  )
  return [['| option | accepts | meaning |', '|---|---|---|', ...rows].join('\n'), rest].filter(Boolean).join('\n\n')
}

/** The declaration up to its body. */
function headOf(declaration) {
  const text = declaration.getText()
  const body = declaration.body
  return (body === undefined ? text : text.slice(0, body.getStart() - declaration.getStart()))
    .replace(/^export /, '')
    .replace(/^(async )/, '')
    .trim()
}

function signatureOf(symbol, name) {
  const all = symbol.declarations.filter(ts.isFunctionDeclaration)
  // With overloads, the implementation is not part of the type.
  const shown = all.length > 1 ? all.filter(({ body }) => body === undefined) : all
  if (shown.length > 0) return shown.map((each) => headOf(each).replace(/^function \w+/, `function ${name}`)).join('\n')
  const type = checker.getTypeOfSymbol(symbol)
  const signatures = type.getCallSignatures()
  if (signatures.length === 0) return `const ${name}: ${shortType(type)}`
  // The signatures of an op after the first are calls by name, unless its type writes them.
  const written = signatures.filter(
    ({ declaration }) => declaration !== undefined && ts.isCallSignatureDeclaration(declaration),
  )
  return (written.length === 0 ? signatures.slice(0, 1) : written)
    .map((signature) => `function ${name}${checker.signatureToString(signature, undefined, FLAGS)}`)
    .join('\n')
}

const SKIPPED = new Set(['constructor', 'toJSON'])

/** A parameter of a method; one that is taken apart is its options. */
function parameterOf({ name, valueDeclaration }) {
  const isOptional = valueDeclaration?.questionToken !== undefined || valueDeclaration?.initializer !== undefined
  return (/^__\d/.test(name) ? 'options' : name.replace(/^_/, '')) + (isOptional ? '?' : '')
}

/** The class that another one extends, if it is written as a class: `configured(Layer, …)` is not. */
function baseClassOf(declaration) {
  const [base] = declaration.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)?.types ?? []
  const symbol = base === undefined ? undefined : checker.getSymbolAtLocation(base.expression)
  return symbol === undefined ? undefined : resolve(symbol).declarations?.find(ts.isClassDeclaration)
}

/** A class, and the bases between it and the next one that the package exports. */
function unexportedBasesOf(declaration) {
  const all = [declaration]
  for (let base = baseClassOf(declaration); base !== undefined && isOurs(base.symbol); base = baseClassOf(base)) {
    if (published.has(base.symbol)) break
    all.push(base)
  }
  return all
}

/** The members that a class declares, and those of its bases that the package does not export, for users. */
function membersOf(declaration) {
  const seen = new Set()
  const rows = []
  for (const member of unexportedBasesOf(declaration).flatMap(({ members }) => members)) {
    if (member.name === undefined || !ts.isIdentifier(member.name)) continue
    const name = member.name.text
    const flags = ts.getCombinedModifierFlags(member)
    const symbol = checker.getSymbolAtLocation(member.name)
    if (seen.has(name) || SKIPPED.has(name) || flags & ts.ModifierFlags.Private || isInternal(symbol)) continue
    const doc = textOf(symbol.getDocumentationComment(checker))
    // What a subclass implements is described at its base.
    if (doc !== '' && ts.getJSDocCommentsAndTags(member).length === 0) continue
    if (doc === '' && flags & (ts.ModifierFlags.Override | ts.ModifierFlags.Static | ts.ModifierFlags.Protected))
      continue
    seen.add(name)
    const type = checker.getTypeOfSymbolAtLocation(symbol, declaration)
    const signatures = ts.isMethodDeclaration(member) ? type.getCallSignatures() : []
    const heads = signatures.map((each) => `${name}(${each.parameters.map(parameterOf).join(', ')})`)
    const shown = signatures.length === 0 ? [name] : [...new Set(heads)]
    const result = shortType(signatures.length === 0 ? type : signatures[0].getReturnType())
    rows.push(`| ${shown.map(code).join('<br>')} | ${code(result)} | ${cell(doc.split(/\n\s*\n/)[0])} |`)
  }
  return rows.length === 0 ? '' : ['| member | type | meaning |', '|---|---|---|', ...rows].join('\n')
}

function sourceOf(declaration) {
  const file = declaration.getSourceFile()
  const { line } = file.getLineAndCharacterOfPosition(declaration.getStart())
  const path = relative(root, file.fileName)
  return `[Source](${SOURCES}${path}#L${line + 1})`
}

/** How a base is named: `configured(Layer<Tensor>, …)` is Layer. */
function baseOf(declaration) {
  const clause = unexportedBasesOf(declaration)
    .at(-1)
    .heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)?.types[0]
  return (
    /\b(?!configured\b|Configured\b)[A-Z]\w+/.exec(clause?.getText().replace(/InOrder<[^>]*>>?/g, '') ?? '')?.[0] ??
    null
  )
}

/** Options that may be passed by position. */
function positionsOf(declaration) {
  const clause = declaration.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)?.types[0]
    .expression
  if (clause === undefined || !ts.isCallExpression(clause)) return ''
  const list = clause.arguments[2]
  const text =
    list !== undefined && ts.isArrayLiteralExpression(list)
      ? list.getText()
      : (/InOrder<\[([^\]]*)\]/.exec(clause.expression.getText())?.[1] ?? '')
  const names = [...text.matchAll(/'(\w+)'/g)].map(([, each]) => code(each))
  return names.length === 0 ? '' : `By position: ${names.join(', ')}.`
}

/** One name as a section. */
function section({ name, prefix, symbol }) {
  const [declaration] = symbol.declarations
  const title = `## ${prefix}${name} {#${anchorOf(prefix + name)}}`
  const parts = [title]
  if (ts.isClassDeclaration(declaration)) {
    const base = baseOf(declaration)
    const constructors = checker.getTypeOfSymbol(symbol).getConstructSignatures()
    const isAbstract = (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Abstract) !== 0
    parts.push(
      `\`\`\`ts\n${isAbstract ? 'abstract ' : ''}class ${name}${base === null ? '' : ` extends ${base}`}\n\`\`\``,
    )
    parts.push(
      described(symbol),
      details(symbol),
      positionsOf(declaration),
      optionTable(optionsOf(constructors), name),
      membersOf(declaration),
    )
  } else if (symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Variable)) {
    parts.push(`\`\`\`ts\n${signatureOf(symbol, prefix + name).replace(/^function /gm, '')}\n\`\`\``)
    parts.push(described(symbol), details(symbol))
    parts.push(optionTable(optionsOf(checker.getTypeOfSymbol(symbol).getCallSignatures())))
  } else if (ts.isInterfaceDeclaration(declaration)) {
    parts.push(described(symbol))
    parts.push(optionTable(checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)).filter(isOurs)))
  } else if (name.endsWith('Options')) {
    parts.push(described(symbol))
    parts.push(optionTable(checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)).filter(isOurs)))
  } else {
    const text = declaration.getText().replace(/^export /, '')
    parts.push(described(symbol))
    if (text.length < 600) parts.push(`\`\`\`ts\n${text}\n\`\`\``)
  }
  parts.push(sourceOf(declaration))
  return parts.filter((part) => part !== '').join('\n\n')
}

const anchorOf = (name) => name.replace(/\./g, '-')

/** Everything that a module exports, with the namespaces in it. */
function namesOf(module, prefix = '') {
  return exportsOf(module).flatMap((alias) => {
    const symbol = resolve(alias)
    if (isInternal(symbol) || symbol.declarations === undefined) return []
    if (symbol.flags & ts.SymbolFlags.ValueModule)
      return prefix === '' ? namesOf(symbol, `${alias.name}.`) : namesOf(symbol, `${prefix}${alias.name}.`)
    return [{ name: alias.name, prefix, symbol }]
  })
}

/** What `myelin` exports. */
const published = new Set(namesOf(moduleOf('index')).map(({ symbol }) => symbol))

const isType = ({ symbol }) =>
  !(symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Function | ts.SymbolFlags.Variable))
/** Options of functions and classes are shown there; those of methods have a section. */
const isShown = ({ name, symbol, page }) =>
  name.endsWith('Options')
    ? page === 'models' || page === 'training'
    : ts.isInterfaceDeclaration(symbol.declarations[0])

/**
 * Writes the pages below a folder.
 * @returns {{ page: string, title: string }[]} for the sidebar
 */
export function writeReference(folder) {
  mkdirSync(folder, { recursive: true })
  // A name that is exported by itself and in a namespace is shown once, by itself.
  const chosen = new Map()
  for (const each of namesOf(moduleOf('index'))) {
    const [file] = each.symbol.declarations.map((declaration) => declaration.getSourceFile().fileName)
    if (!file.startsWith(join(root, 'src'))) continue
    const known = chosen.get(each.symbol)
    if (known === undefined || each.prefix.length < known.prefix.length)
      chosen.set(each.symbol, { ...each, page: pageOf(file) })
  }
  const pages = PAGES.map(([page, title]) => ({
    page,
    title,
    names: [...chosen.values()].filter((each) => each.page === page),
  }))
  for (const name of SUB_PATHS) {
    const names = namesOf(moduleOf(name)).filter(({ symbol }) => !chosen.has(symbol))
    pages.push({ page: name, title: `myelin/${name}`, names })
  }
  const written = []
  const empty = []
  for (const { page, title, names } of pages) {
    const shown = names
      .filter((each) => !isType(each) || isShown(each))
      .sort((a, b) => Number(isType(a)) - Number(isType(b)) || a.name.localeCompare(b.name))
    if (shown.length === 0) continue
    for (const each of shown)
      if (!isType(each) && textOf(documented(each.symbol).getDocumentationComment(checker)) === '')
        empty.push(`${page}: ${each.prefix}${each.name}`)
    const from = title.startsWith('myelin/') ? title : 'myelin'
    const list = shown
      .filter((each) => !isType(each))
      .map(({ prefix, name }) => `[${prefix}${name}](#${anchorOf(prefix + name)})`)
    const head = `---\noutline: [2, 2]\neditLink: false\n---\n\n# ${title}\n\nImported from \`'${from}'\`. ${list.join(' · ')}\n`
    writeFileSync(join(folder, `${page}.md`), `${head}\n${shown.map(section).join('\n\n')}\n`)
    written.push({ page, title })
  }
  const listed = written.map(({ page, title }) => `- [${title}](${page}.md)`).join('\n')
  writeFileSync(
    join(folder, 'index.md'),
    `# API reference\n\nEvery public name with its formula, its options and its source, from the docstrings.\n\n${listed}\n`,
  )
  return { written, empty }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { written, empty } = writeReference(process.argv[2] ?? join(root, 'build/docs/api'))
  console.log(`${written.length} pages`)
  if (empty.length > 0) console.log(`without a docstring:\n${empty.join('\n')}`)
}
