import { readdirSync, readFileSync } from 'node:fs'
import type { UserConfig } from 'tsdown'
import { defineConfig } from 'tsdown'
import ts from 'typescript'
import { instructionSet } from './scripts/instruction-set.mjs'

interface Chunk {
  readonly type: string
  readonly name?: string
  code?: string
  source?: string | Uint8Array
}

/**
 * What is imported by a path of its own, `myelin/NAME`: src/NAME.ts has the names, src/NAME/ the rest. Each has an entry in
 * `exports` and, for tools that do not read those, in `typesVersions` of package.json.
 */
const SUB_PATHS = [
  'balance',
  'data',
  'explain',
  'keras',
  'onnx',
  'plot',
  'predict',
  'search',
  'tfjs',
  'thrift',
  'weights',
]

const ENTRIES = ['index', ...SUB_PATHS].map((name) => [name, `src/${name}.ts`] as const)

/** `myelin` for Node, Deno, workerd and React Native, with the declarations of `index`. */
const HOST_ENTRIES = ['node', 'deno', 'workerd', 'react-native'].map((name) => [name, `src/${name}.ts`] as const)

const shared = {
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  outExtensions: () => ({ js: '.js', dts: '.d.ts' }),
  checks: { pluginTimings: false },
} satisfies UserConfig

/** The chunks that hold wasm as text: the kernels of all, and those of readers of `myelin/data`. */
const BINARIES = [
  { name: 'binaries', test: /engine[\\/]binaries[\\/]/, priority: 2 },
  { name: 'csv-binary', test: /csv[\\/]binary\.ts$/, priority: 2 },
  { name: 'jpeg-binary', test: /jpeg[\\/]binary\.ts$/, priority: 2 },
  { name: 'resize-binary', test: /resize[\\/]binary\.ts$/, priority: 2 },
]
/** The chunk that holds everything that `myelin` exports. */
const WHOLE = 'myelin'
/**
 * The chunk with what loads models, by class names and in all formats. Only the main entries import it: bundlers drop an unused chunk with its
 * dynamic imports of formats, but not unused dynamic imports of a chunk that is used, nor of one that these formats import.
 */
const LOADING = 'loading'
const LOADERS =
  /[\\/]src[\\/](?:formats[\\/]foreign|models[\\/](?:load|formats|weight-formats)|saving[\\/](?:index|models)|utils[\\/]index)\.ts$/
/** The chunk with what explanations and pictures share. */
const PICTURES = 'pictures'
/** What `myelin` itself reads of the folder of `myelin/data`. */
const READ_BY_ALL = [
  'data/batch',
  'data/checks',
  'data/class-weights',
  'data/given',
  'data/layout',
  'data/pad-sequences',
  'data/parse',
  'data/py-dataset',
  'data/row-source',
  'data/rows',
  'data/samples',
  'data/source',
  'data/splits',
]
/** What only sub-paths read outside of their folders. */
const READ_BY_SUB_PATHS = ['training/cross-validate', String.raw`tables/[\w-]+`]
const ownOfSubPath = new RegExp(
  String.raw`[\\/]src[\\/](?:(?!(?:${READ_BY_ALL.join('|')})\.)(?:${SUB_PATHS.join('|')})(?:(?:\.d)?\.ts$|[\\/])|(?:${READ_BY_SUB_PATHS.join('|')})\.)`,
)

/** Modules that only give names to what other modules have. */
const isEntry = (id: string): boolean =>
  /[\\/]src[\\/](?:(?:index|node|deno|workerd|react-native)\.ts|ops[\\/](?:\w+[\\/])?index\.ts|activations[\\/]namespace\.ts)/.test(
    id,
  )

/** One chunk for what the entries share, so that a class has one copy and a stack trace names few files. */
const codeSplitting = {
  groups: [
    ...BINARIES,
    { name: WHOLE, test: (id: string) => !ownOfSubPath.test(id) && !isEntry(id) && !LOADERS.test(id), priority: 1 },
    { name: LOADING, test: LOADERS },
    { name: PICTURES, test: /[\\/]src[\\/](?:plot[\\/]|explain[\\/]labels)/, minShareCount: 2 },
  ],
}

// The code generator joins the lines of the binaries again, so they are broken once more: a backslash at the end of a
// line leaves no trace in a string. After the same character where there is one, which gzip likes: 1.6 kB for all breaks
// instead of 3.8.
const shortLines = {
  name: 'short-lines',
  generateBundle(_options: unknown, bundle: Record<string, Chunk>) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.code === undefined || !BINARIES.some(({ name }) => name === chunk.name)) continue
      chunk.code = chunk.code.replace(/"[^"\\\n]+"/g, (text) =>
        text.replace(/.{60,180},(?=.{2})|.{181}(?=.{2})/g, '$&\\\n'),
      )
    }
  },
}

// All names that a module exports would be one long line, and so would those that it imports.
const shortNames = {
  name: 'short-names',
  generateBundle(_options: unknown, bundle: Record<string, Chunk>) {
    const broken = (line: string): string => line.replace(/(.{80,110},) /g, '$1\n\t')
    for (const chunk of Object.values(bundle))
      if (chunk.code !== undefined)
        chunk.code = chunk.code.replace(/^export \{.*\};$/m, broken).replace(/^import \{.*\} from .*;$/gm, broken)
  },
}

// `add: () => add` in a namespace is a function named add, inside of which add is something else. Babel, which Metro runs on packages, gives
// such a function its name, and therefore renames the other throughout the file: a thousand passes over it, in a quarter of an hour.
const unnamed = {
  name: 'unnamed',
  generateBundle(_options: unknown, bundle: Record<string, Chunk>) {
    for (const chunk of Object.values(bundle))
      if (chunk.code !== undefined)
        chunk.code = chunk.code.replace(/^\t(\w+): \(\) => \1(,?)$/gm, '\t$1: 0 || (() => $1)$2')
  },
}

// An engine keeps a source that is all ASCII in half the memory, and it may be served in any encoding.
const ascii = {
  name: 'ascii',
  generateBundle(_options: unknown, bundle: Record<string, Chunk>) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.code === undefined) continue
      chunk.code = chunk.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    }
  },
}

/** What stands behind `extends`. */
function baseOf({ heritageClauses }: ts.ClassDeclaration): ts.Expression | undefined {
  return heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)?.types[0]?.expression
}

/**
 * `enum Step { Add, Exp = 5 }` → `const Step = { Add: 0, Exp: 5 }; const Step_Add = 0, Step_Exp = 5`, on the same lines, where
 * both compilers read it, and `Step.Add` → `Step_Add` where it is used: bundlers drop the members that nobody uses, and
 * the whole where nobody needs that. The way back from numbers to names, which enums have too, is left out; who asks for it
 * is refused.
 */
const enums = {
  name: 'enums',
  transform(code: string, id: string) {
    if (/assembly[\\/]shared[\\/]\w+\.ts$/.test(id)) return withConstants(code, id)
    return code.includes('assembly/shared/') ? withMembers(code, id) : null
  },
}

function withConstants(code: string, id: string) {
  const source = ts.createSourceFile(id, code, ts.ScriptTarget.Latest, true)
  return source.statements.filter(ts.isEnumDeclaration).reduceRight((text, each) => {
    let next = 0
    const constants: string[] = []
    const members = each.members.map((member) => {
      if (member.initializer !== undefined) next = Number(member.initializer.getText())
      if (Number.isNaN(next)) throw new Error(`${id}: ${member.getText()} is no plain number`)
      constants.push(`${each.name.text}_${member.name.getText()} = ${next}`)
      return { at: member.getStart(), end: member.getEnd(), text: `${member.name.getText()}: ${next++}` }
    })
    const body = members.reduceRight((all, { at, end, text }) => all.slice(0, at) + text + all.slice(end), text)
    const head = each.getText().slice(0, each.members.pos - each.getStart())
    const after = `; export const ${constants.join(', ')}${text.slice(each.getEnd())}`
    const end = body.length - (text.length - each.getEnd())
    return (
      body.slice(0, each.getStart()) +
      head.replace('enum', 'const').replace('{', '= {') +
      body.slice(each.members.pos, end) +
      after
    )
  }, code)
}

function withMembers(code: string, id: string) {
  const source = ts.createSourceFile(id, code, ts.ScriptTarget.Latest, true)
  const edits: { at: number; end: number; text: string }[] = []
  for (const each of source.statements) {
    if (!ts.isImportDeclaration(each) || !each.moduleSpecifier.getText().includes('assembly/shared/')) continue
    const names = each.importClause?.namedBindings
    if (names === undefined || !ts.isNamedImports(names)) continue
    const taken = new Set(names.elements.map(({ name }) => name.text))
    const used = new Set<string>()
    const visit = (node: ts.Node): void => {
      if (ts.isElementAccessExpression(node) && taken.has(node.expression.getText()))
        throw new Error(`${id} asks an enum of assembly/shared for a name: ${node.getText()}`)
      if (ts.isPropertyAccessExpression(node) && taken.has(node.expression.getText())) {
        const text = node.getText().replace('.', '_')
        used.add(text)
        edits.push({ at: node.getStart(), end: node.getEnd(), text })
      }
      ts.forEachChild(node, visit)
    }
    visit(source)
    if (used.size > 0)
      edits.push({ at: names.elements.end, end: names.elements.end, text: `, ${[...used].join(', ')}` })
  }
  edits.sort((a, b) => b.at - a.at)
  return edits.reduce((text, { at, end, text: replacement }) => text.slice(0, at) + replacement + text.slice(end), code)
}

// The package holds the number of its instructions, not all the names of which it is made.
const knownInstructions = {
  name: 'known-instructions',
  async transform(_code: string, id: string) {
    return /engine[\\/]instruction-set\.ts$/.test(id)
      ? `export const instructionSet = () => ${await instructionSet()}`
      : null
  },
}

/**
 * Namespaces that are modules of their own, `export * as NAME` in src/index.ts: bundlers see what an application uses of a
 * module, but not what it uses of an object that this build makes of one. Those of losses, metrics, optimizers and
 * initializers are objects, because every application has these anyhow, and each file costs the import some 0.5 ms.
 */
const NAMESPACES = new Map([
  ['activations', ts.sys.resolvePath('src/namespaces/activations.ts')],
  ['ops', ts.sys.resolvePath('src/ops/index.ts')],
  ['ops.image', ts.sys.resolvePath('src/ops/image/index.ts')],
  ['random', ts.sys.resolvePath('src/ops/random/index.ts')],
  ['layers', ts.sys.resolvePath('src/namespaces/layers.ts')],
  ['callbacks', ts.sys.resolvePath('src/training/callbacks/index.ts')],
])

/** Leaves imports of those modules to the bundlers of applications. */
const namespaces = {
  name: 'namespaces',
  resolveId: {
    order: 'pre' as const,
    handler(source: string, importer: string | undefined) {
      if (importer === undefined || !isEntry(importer)) return null
      const path = ts.sys.resolvePath(`${importer}/../${source}`)
      const found = [...NAMESPACES].find(([, id]) => [source, `${path}.ts`, `${path}/index.ts`].includes(id))
      return found === undefined || found[1] === importer ? null : { id: `./${found[0]}.js`, external: true as const }
    },
  },
}

// Declarations name a helper of the bundler that they do not have.
const withoutHelpers = {
  name: 'without-helpers',
  generateBundle(_options: unknown, bundle: Record<string, { type: string; code?: string }>) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.code !== undefined)
        chunk.code = chunk.code.replace(
          /\b(?:__exportAll as \w+|\w+ as __exportAll), |, (?:__exportAll as \w+|\w+ as __exportAll)\b/g,
          '',
        )
    }
  },
}

/**
 * Puts back what TypeScript leaves out of the declarations of a file: the comments of options whose tables are written in
 * another file, as `kernelSize` of Conv2D is.
 */
const comments = {
  name: 'comments',
  transform: {
    order: 'pre' as const,
    handler(code: string, id: string) {
      const source = id.endsWith('.d.ts') ? sources().getSourceFile(id.replace('.d.ts', '.ts')) : undefined
      return source === undefined ? null : withComments(code, typesIn(source, sources().getTypeChecker()))
    },
  },
}

/**
 * Writes types that follow from others, as the names of optimizers from their classes, as the texts that they are: a program with
 * `compile({ optimizer: 'adam' })` would else make the constructor of each optimizer, loss and metric, which is most of its check.
 */
const literals = {
  name: 'literals',
  transform: {
    order: 'pre' as const,
    handler(code: string, id: string) {
      const source = id.endsWith('.d.ts') ? sources().getSourceFile(id.replace('.d.ts', '.ts')) : undefined
      return source === undefined ? null : withLiterals(code, textsIn(source, sources().getTypeChecker()))
    },
  },
}

/** The texts of a file's types, by the names of the types that consist of texts alone. */
function textsIn(source: ts.SourceFile, checker: ts.TypeChecker): ReadonlyMap<string, readonly string[]> {
  const found = source.statements.filter(ts.isTypeAliasDeclaration).flatMap(({ name, type, typeParameters }) => {
    const given = checker.getTypeFromTypeNode(type)
    const texts = given.isUnion() ? given.types.filter((each) => each.isStringLiteral()) : []
    const isTexts = given.isUnion() && texts.length === given.types.length && typeParameters === undefined
    return isTexts ? [[name.text, texts.map(({ value }) => value).sort()] as const] : []
  })
  return new Map(found)
}

function withLiterals(code: string, texts: ReadonlyMap<string, readonly string[]>): string {
  const aliases = ts
    .createSourceFile('.d.ts', code, ts.ScriptTarget.Latest)
    .statements.filter(ts.isTypeAliasDeclaration)
  return aliases.reduceRight((text, { name, type }) => {
    const members = texts.get(name.text)?.map((each) => JSON.stringify(each))
    return members === undefined ? text : `${text.slice(0, type.pos)} ${members.join(' | ')}${text.slice(type.end)}`
  }, code)
}

let program: ts.Program | undefined
/** All of src/, read once and where it is needed. */
function sources(): ts.Program {
  if (program !== undefined) return program
  const { config } = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path))
  program = ts.createProgram(
    ENTRIES.map(([, path]) => ts.sys.resolvePath(path)),
    ts.parseJsonConfigFileContent(config, ts.sys, '.').options,
  )
  return program
}

/** The types of a file's variables, and those of the bases of its classes, which declarations call `Dense_base`. */
function typesIn(source: ts.SourceFile, checker: ts.TypeChecker): ReadonlyMap<string, ts.Type> {
  const found = source.statements.flatMap((each): [string, ts.Node][] => {
    if (ts.isVariableStatement(each)) return each.declarationList.declarations.map(({ name }) => [name.getText(), name])
    const base = ts.isClassDeclaration(each) ? baseOf(each) : undefined
    return base === undefined ? [] : [[`${(each as ts.ClassDeclaration).name!.text}_base`, base]]
  })
  return new Map(found.map(([name, node]) => [name, checker.getTypeAtLocation(node)]))
}

const commentsOf = (node: ts.Node | undefined): readonly ts.Node[] =>
  node === undefined ? [] : ts.getJSDocCommentsAndTags(node)

/**
 * A file of declarations with a comment for each property whose declaration, among `types`, has one, and for each variable
 * that is a function with a comment.
 */
function withComments(code: string, types: ReadonlyMap<string, ts.Type>): string {
  const edits: { at: number; text: string }[] = []
  const visit = (node: ts.TypeNode | undefined, type: ts.Type | undefined): void => {
    if (node === undefined || type === undefined) return
    if (ts.isFunctionTypeNode(node)) visit(node.type, type.getCallSignatures()[0]?.getReturnType())
    if (ts.isTypeReferenceNode(node) || ts.isImportTypeNode(node))
      node.typeArguments?.forEach((each, i) => visit(each, type.aliasTypeArguments?.[i]))
    if (!ts.isTypeLiteralNode(node)) return
    for (const member of node.members) {
      if (!ts.isPropertySignature(member) || commentsOf(member).length > 0) continue
      const [comment] = type.getProperty(member.name.getText())?.declarations?.flatMap(commentsOf) ?? []
      if (comment !== undefined) edits.push({ at: member.getStart(), text: `${comment.getText()}\n` })
    }
  }
  for (const each of ts.createSourceFile('.d.ts', code, ts.ScriptTarget.Latest, true).statements) {
    if (!ts.isVariableStatement(each)) continue
    for (const { name, type } of each.declarationList.declarations) {
      const own = types.get(name.getText())
      visit(type, own)
      const [comment] = type === undefined ? [] : commentsOf(own?.getCallSignatures()[0]?.declaration)
      if (comment !== undefined && commentsOf(each).length === 0)
        edits.push({ at: each.getStart(), text: `${comment.getText()}\n` })
    }
  }
  return edits.reduceRight((text, { at, text: comment }) => text.slice(0, at) + comment + text.slice(at), code)
}

// The printer of declarations writes `a: A; /** Of b. */⏎ b: B`, where editors find no documentation of b: it has to begin a line.
const ownLines = {
  name: 'own-lines',
  generateBundle(_options: unknown, bundle: Record<string, Chunk>) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.code === undefined) continue
      chunk.code = chunk.code
        .replace(/^( *)(.*[;,{]) (?=\/\*\*)/gm, '$1$2\n$1')
        .replace(/^( *)(\/\*\* .*? \*\/)(?=\w)/gm, '$1$2\n$1')
    }
  },
}

/** The files of kernels that the entry for Node reads, and those that the entry for workerd imports. */
const kernelFiles = {
  name: 'kernel-files',
  resolveId: (source: string) => (source.endsWith('.wasm') ? { id: source, external: true as const } : null),
  generateBundle(this: { emitFile(file: { type: 'asset'; fileName: string; source: Uint8Array }): void }) {
    for (const file of readdirSync('build')) {
      const [, level, name] = /^(simd|relaxed)\.(\w+)\.wasm$/.exec(file) ?? []
      if (level === undefined) continue
      const fileName = `kernels/${name}${level === 'simd' ? '' : '.relaxed'}.wasm`
      this.emitFile({ type: 'asset', fileName, source: readFileSync(`build/${file}`) })
    }
  },
}

// ES modules that people can read, for Node, browsers and bundlers alike, and so without maps. Every entry shares chunks with the others, so that a class has one copy. Why, and what is measured:
// docs/decisions/0013-readable-modules.md. The declarations are a build of their own: together, the two would share files.
// scripts/build-variants.mjs moves them to dist/cjs/.
export default defineConfig([
  {
    ...shared,
    entry: Object.fromEntries([...ENTRIES, ...HOST_ENTRIES, ...NAMESPACES]),
    dts: false,
    clean: true,
    plugins: [namespaces, knownInstructions, enums, ascii, shortLines, shortNames, unnamed, kernelFiles],
    outputOptions: {
      comments: { annotation: true, jsdoc: false, legal: true },
      chunkFileNames: '[name].js',
      codeSplitting,
    },
  },
  // A shared chunk may have the name of an entry: in a folder of its own it cannot take its place.
  {
    ...shared,
    entry: Object.fromEntries(ENTRIES),
    dts: { emitDtsOnly: true },
    clean: false,
    plugins: [comments, literals, withoutHelpers, ownLines],
    outputOptions: {
      // What all entries share would have the name of its first module.
      chunkFileNames: ({ moduleIds }) =>
        `types/${moduleIds.some((id) => /src[\\/]layers[\\/]layer\./.test(id)) ? WHOLE : '[name]'}.d.ts`,
    },
  },
])
