// Finds options without documentation in editors: for everything a program can import, writes a call with each options
// object, and asks TypeScript's language service for the documentation of every option.

import { join } from 'node:path'
import ts from 'typescript'

/**
 * @param folder with a tsconfig.json from which the imports resolve
 * @param imports such as 'myelin/data'
 * @returns the number of options, and the calls of those without documentation: `new Conv2D({ padding })`
 */
export function undocumentedOptions(folder, imports) {
  const file = join(folder, 'calls.ts')
  let text = imports.map((path, i) => `import * as _${i} from '${path}'\n`).join('')
  const config = ts.readConfigFile(join(folder, 'tsconfig.json'), ts.sys.readFile).config
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, folder)
  const service = ts.createLanguageService({
    readFile: ts.sys.readFile,
    directoryExists: ts.sys.directoryExists,
    realpath: ts.sys.realpath,
    fileExists: (path) => path === file || ts.sys.fileExists(path),
    getCompilationSettings: () => options,
    getCurrentDirectory: () => folder,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    getScriptFileNames: () => [file],
    getScriptSnapshot: (path) => ts.ScriptSnapshot.fromString(path === file ? text : ts.sys.readFile(path)),
    getScriptVersion: (path) => (path === file ? String(text.length) : ''),
  })

  const places = []
  for (const { call, before, names, ambiguous } of callsWithOptions(service.getProgram(), file)) {
    text += `${call}(${'null!, '.repeat(before)}{`
    for (const name of names) {
      if (!ambiguous.includes(name))
        places.push({ at: text.length + 1, what: `${call.replaceAll(/\b_\d+\./g, '')}({ ${name} })` })
      text += ` ${name}: null!,`
    }
    text += ' });\n'
  }
  const lacking = places.filter(({ at }) => !service.getQuickInfoAtPosition(file, at)?.documentation?.length)
  return { count: places.length, lacking: [...new Set(lacking.map(({ what }) => what))] }
}

/**
 * The calls that take options, for the exports of a file: the text of each call, the number of arguments before the
 * options, and the options' names.
 */
function callsWithOptions(program, file) {
  const checker = program.getTypeChecker()
  const calls = []
  const seen = new Set()
  const isNew = (declaration) => !seen.has(declaration) && Boolean(seen.add(declaration))
  const found = (call, signatures) => {
    // Subclasses repeat methods; configured classes share the declaration of their constructor.
    for (const signature of signatures.filter(({ declaration }) => call.startsWith('new ') || isNew(declaration))) {
      typesOfArguments(signature).forEach((type, before, types) => {
        // After any number of values, such as apply(query, value, options), a value may be in the place of the options.
        const values = hasRestBefore(signature) ? types.filter((each) => each !== type) : []
        for (const each of objectsIn(type)) {
          const names = each.getProperties().map(({ name }) => name)
          const ambiguous = names.filter(
            (name) => isAmbiguous(type, name) || values.some((value) => hasMember(value, name)),
          )
          calls.push({ call, before, names, ambiguous })
        }
      })
    }
  }
  // [options?: A] | [a: A, b: B] of a rest parameter: the types at each position.
  const typesOfArguments = (signature) => {
    const types = signature.getParameters().map((each) => checker.getTypeOfSymbol(each))
    const lists = membersOf(types.at(-1)).filter((each) => checker.isTupleType(each))
    return lists.length === 0 ? types : [...types.slice(0, -1), ...checker.getTypeArguments(lists[0])]
  }
  const hasMember = (type, name) =>
    membersOf(type).some((each) => checker.getPropertyOfType(checker.getApparentType(each), name))
  const hasRestBefore = (signature) => {
    const last = signature.getParameters().at(-1)
    return membersOf(last && checker.getTypeOfSymbol(last)).some(
      (each) =>
        checker.isTupleType(each) &&
        each.target.elementFlags.slice(0, -1).some((flags) => flags & ts.ElementFlags.Variable),
    )
  }
  // Editors show nothing for a name that a function, an array or a text in the place of the options has, too: the `name` of a
  // function.
  const isAmbiguous = (type, name) =>
    membersOf(type).some((each) => !isObject(each) && checker.getPropertyOfType(checker.getApparentType(each), name))
  const membersOf = (type) => (type === undefined ? [] : type.isUnion() ? type.types : [type])
  // Only object literals count as options. A type that may also be an instance, such as a tensor, a layer or a Blob, is
  // a value, and so is an object with only methods.
  const objectsIn = (type) => {
    const objects = membersOf(checker.getBaseConstraintOfType(type) ?? type).filter(isObject)
    const isWritten = (each) => each.getProperties().some(({ flags }) => !(flags & ts.SymbolFlags.Method))
    // A type parameter is the type of data, which the result has, too.
    const isData = Boolean(type.flags & ts.TypeFlags.TypeParameter)
    return isData || objects.some(isMade) ? [] : objects.filter(isWritten)
  }
  const isObject = (type) =>
    Boolean(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) &&
    !checker.isArrayLikeType(type) &&
    type.getCallSignatures().length === 0 &&
    checker.getIndexInfosOfType(type).length === 0
  const isMade = (type) =>
    type.isIntersection()
      ? type.types.some(isMade)
      : Boolean(type.symbol?.flags & ts.SymbolFlags.Class) || !type.getProperties().every(isOwn)
  const isOwn = ({ declarations = [] }) =>
    declarations.some((each) => !program.isSourceFileDefaultLibrary(each.getSourceFile()))
  const hidden = ts.ModifierFlags.Protected | ts.ModifierFlags.Private
  const methods = (object, type) => {
    for (const each of type.getProperties()) {
      const isCalled =
        each.flags & ts.SymbolFlags.Method &&
        isOwn(each) &&
        !each.declarations.some((one) => ts.getCombinedModifierFlags(one) & hidden)
      // The argument of setState comes from getState.
      if (isCalled && each.name !== 'setState')
        found(`${object}.${each.name}`, checker.getTypeOfSymbol(each).getCallSignatures())
    }
  }
  const visit = (path, symbol) => {
    // Programs cannot construct a class of which only the type is exported.
    const isType = symbol.declarations?.some((each) => ts.isTypeOnlyImportOrExportDeclaration(each)) === true
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    if (target.flags & ts.SymbolFlags.Module)
      for (const each of checker.getExportsOfModule(target)) visit(`${path}.${each.name}`, each)
    else if (target.flags & ts.SymbolFlags.Value && isNew(target)) {
      const type = checker.getTypeOfSymbol(target)
      // `const ops: typeof aNamespace`
      if (type.symbol?.flags & ts.SymbolFlags.Module) visit(path, type.symbol)
      found(path, type.getCallSignatures())
      if (!(target.flags & ts.SymbolFlags.Class)) return
      const isAbstract = ts.getCombinedModifierFlags(target.valueDeclaration) & ts.ModifierFlags.Abstract
      if (!isAbstract && !isType) found(`new ${path}`, type.getConstructSignatures())
      if (!isType) methods(path, type)
      methods(`${path}.prototype`, checker.getDeclaredTypeOfSymbol(target))
    }
  }
  for (const each of program.getSourceFile(file).statements) {
    const name = each.importClause.namedBindings.name
    visit(name.text, checker.getSymbolAtLocation(name))
  }
  return calls
}
