// Makes the public namespaces of ops. src/layers/recorded/NAME.ts exports a folder's ops again; this plugin wraps each of
// them with `recorded` of src/layers/core/operation.ts, in a constant of its own, which bundlers drop if it is not used, and
// passes the names of the parameters that users may give by name.
// A namespace within a namespace, such as `ops.image`, becomes a module of its own. All other exports stay: what begins
// with a capital is a class, types have no code, and what NAME.ts exports after the folder's ops is no op.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const layers = fileURLToPath(new URL('../src/layers/', import.meta.url))
const folder = join(layers, 'recorded')
const VIRTUAL = 'recorded-ops:'

function pathOf(from, specifier) {
  const path = resolve(dirname(from), specifier)
  return existsSync(`${path}.ts`) ? `${path}.ts` : join(path, 'index.ts')
}

const parsed = new Map()
function statementsOf(file) {
  if (!parsed.has(file))
    parsed.set(file, ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true).statements)
  return parsed.get(file)
}

/** What a module exports: its names, and the modules of its namespaces. */
function exportsOf(file) {
  const names = []
  const namespaces = new Map()
  for (const each of statementsOf(file)) {
    if (ts.isExportDeclaration(each) && !each.isTypeOnly) {
      const { exportClause: clause, moduleSpecifier: from } = each
      if (clause === undefined) {
        const all = exportsOf(pathOf(file, from.text))
        names.push(...all.names)
        for (const [name, path] of all.namespaces) namespaces.set(name, path)
      } else if (ts.isNamespaceExport(clause)) namespaces.set(clause.name.text, pathOf(file, from.text))
      else names.push(...clause.elements.filter(({ isTypeOnly }) => !isTypeOnly).map(({ name }) => name.text))
    } else if (isExported(each)) {
      if (ts.isVariableStatement(each)) names.push(...each.declarationList.declarations.map(({ name }) => name.text))
      if (ts.isFunctionDeclaration(each) || ts.isClassDeclaration(each)) names.push(each.name.text)
    }
  }
  return { names: [...new Set(names)], namespaces }
}

const isExported = ({ modifiers }) => modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true

/** The function that a module declares under a name, or imports; undefined if it does neither. */
function declared(file, name, isWanted = () => true) {
  for (const each of statementsOf(file)) {
    if (!isWanted(each)) continue
    const imported = each.importClause?.namedBindings?.elements?.find((one) => one.name.text === name)
    if (imported !== undefined)
      return exported(pathOf(file, each.moduleSpecifier.text), (imported.propertyName ?? imported.name).text)
    if (ts.isFunctionDeclaration(each) && each.body !== undefined && each.name.text === name) return each
    if (!ts.isVariableStatement(each)) continue
    const found = each.declarationList.declarations.find((one) => one.name.text === name)
    if (found !== undefined) return found.initializer
  }
  return undefined
}

/** The function that a module exports under a name; undefined if there is none. */
function exported(file, name) {
  const own = declared(file, name, isExported)
  if (own !== undefined) return own
  const exports = statementsOf(file).filter((each) => ts.isExportDeclaration(each) && !each.isTypeOnly)
  for (const { exportClause: clause, moduleSpecifier: from } of exports) {
    const found = clause?.elements?.find((one) => one.name.text === name)
    if (found === undefined) continue
    const { text } = found.propertyName ?? found.name
    return from === undefined ? declared(file, text) : exported(pathOf(file, from.text), text)
  }
  // What a module exports by name goes before what it exports of all of another one.
  for (const { exportClause: clause, moduleSpecifier: from } of exports) {
    const found = clause === undefined ? exported(pathOf(file, from.text), name) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * The parameters of an op that users may give by name: those that are required. If one is a tree, it has `*` before its name,
 * and all others follow with `?`, because the names of a tree are told from those of parameters.
 */
function parametersOf(file, name) {
  const { parameters, typeParameters = [] } = exported(file, name)
  const isRequired = ({ questionToken, dotDotDotToken }) => questionToken === undefined && dotDotDotToken === undefined
  const trees = ['unknown', ...typeParameters.map((each) => each.name.text)]
  const isTree = ({ type }) => trees.includes(type?.getText())
  const hasTree = parameters.some((each) => isRequired(each) && isTree(each))
  return parameters
    .filter((each) => isRequired(each) || (hasTree && each.dotDotDotToken === undefined))
    .map((each) => `${isRequired(each) ? (isTree(each) ? '*' : '') : '?'}${each.name.text.replace(/_$/, '')}`)
    .join(' ')
}

const isOp = (name) => !/^[A-Z]/.test(name)

/**
 * @param path the names of the namespace and of those around it, such as ['ops', 'image']
 * @param more the files of further exports, which stay as they are
 */
function codeOf(path, file, more = []) {
  const { names, namespaces } = exportsOf(file)
  const [functions, others] = [names.filter(isOp), names.filter((name) => !isOp(name))]
  const from = JSON.stringify(file)
  // The ops of `ops` itself are known by their names alone.
  const prefix = path
    .map((each) => `${each}.`)
    .join('')
    .replace(/^ops\./, '')
  return [
    `import { recorded } from ${JSON.stringify(join(layers, 'core/operation.ts'))}`,
    `import { ${functions.map((name) => `${name} as ${name}_`).join(', ')} } from ${from}`,
    // A reserved word, such as switch, can be the name of an export, but of no constant.
    ...functions.map((name) => {
      const parameters = parametersOf(file, name)
      // One operand x is the default.
      const last = parameters === 'x' ? '' : `, '${parameters}'`
      return `const $${name} = /* @__PURE__ */ recorded('${prefix}${name}', ${name}_${last})`
    }),
    `export { ${functions.map((name) => `$${name} as ${name}`).join(', ')} }`,
    `export { ${others.join(', ')} } from ${from}`,
    ...more.map((each) => `export * from ${JSON.stringify(each)}`),
    ...Array.from(namespaces.keys(), (name) => `export * as ${name} from '${VIRTUAL}${[...path, name].join('.')}'`),
  ].join('\n')
}

/** The file whose ops a namespace has. */
const files = new Map()
/** The files whose exports a namespace has besides. */
const others = new Map()
const read = (path, file) => {
  files.set(path.join('.'), file)
  for (const [name, inner] of exportsOf(file).namespaces) read([...path, name], inner)
}
for (const name of readdirSync(folder)) {
  const file = join(folder, name)
  // Namespaces, and what is declared, are there for types only.
  const [ops, ...more] = statementsOf(file)
    .filter((each) => ts.isExportDeclaration(each) && !(each.exportClause && ts.isNamespaceExport(each.exportClause)))
    .map(({ moduleSpecifier }) => pathOf(file, moduleSpecifier.text))
  read([name.replace('.ts', '')], ops)
  others.set(name.replace('.ts', ''), more)
}

export const recordedModules = new Map(
  Array.from(files.keys(), (path) => [path, path.includes('.') ? VIRTUAL + path : join(folder, `${path}.ts`)]),
)

export const parametersOfOps = (path) =>
  new Map(
    exportsOf(files.get(path))
      .names.filter(isOp)
      .map((name) => [name, parametersOf(files.get(path), name)]),
  )

export const recordedOps = {
  name: 'recorded-ops',
  resolveId: (source) => (source.startsWith(VIRTUAL) ? `\0${source}` : null),
  load(id) {
    const path = id.startsWith(`\0${VIRTUAL}`) ? id.slice(VIRTUAL.length + 1) : undefined
    return path === undefined ? null : codeOf(path.split('.'), files.get(path))
  },
  transform(_code, id) {
    // The files may have changed since the last build of a watcher.
    parsed.clear()
    const path = dirname(id) === folder ? id.slice(folder.length + 1, -'.ts'.length) : undefined
    return path === undefined ? null : codeOf([path], files.get(path), others.get(path))
  },
}
