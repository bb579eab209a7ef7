// The files of a folder whose subfolders are classes, and their split. Reads no file.

import { isUrl } from '../../core/globals'
import { warn } from '../../core/warnings'
import { byCodePoints } from '../../core/text'
import type { Dirent } from 'node:fs'
import { ArgumentError, StateError, knownName, quoted } from '../../core/errors'
import {
  always,
  boolean,
  choice,
  count,
  custom,
  either,
  idle,
  integer,
  listOf,
  nullable,
  number,
  option,
  unread,
  withoutOptions,
  type OptionInputs,
  type ValuesOf,
} from '../../core/options'
import { orAbort } from '../../core/abort'
import { oneHot } from '../../ops/nn/one-hot'
import { permutation } from '../../ops/random/random'
import { Tensor } from '../../ops/tensor'
import { fileError, nodeModule, type NodeModules } from '../../engine/runtime/platform'
import { abortable } from '../samples/abort'
import { Dataset } from '../dataset'

/** A kind of files, for its reader and for messages. */
export interface FileKind {
  /** The name of the function, such as `imageFolder`. */
  readonly where: string
  /** Matches the names of files that are read. */
  readonly isRead: RegExp
  /** Matches the names of files of the same kind that cannot be read; null if there are none. */
  readonly isForeign: RegExp | null
  /** The endings, such as `.png, .jpg or .jpeg`. */
  readonly endings: string
  /** What a file is called, such as `picture`. */
  readonly noun: string
  /** What is read, and what to do with others. */
  readonly remedy: string
  /** What to do in a page, which has no folders. */
  readonly inPage: string
}

/** The options of labels, order and split that all folders have. */
const labelRows = () => ({
  /** The batch size; null: elements are single files. Default 32. */
  batchSize: option(nullable(count), 32),
  /**
   * 'inferred': the subfolders are the classes. A list of integers: one for each file, in the order of `files` without
   * shuffling; the classes are the sorted numbers. null: there are no labels. With a list or null, all files of the folder
   * are used. Default 'inferred'.
   */
  labels: option(nullable(either(listOf(integer()), choice('inferred'), Array.isArray)), 'inferred'),
  /**
   * Class numbers, one-hot rows, or for two classes 0 and 1 in float32 [batch, 1]; null: as labels: null. Default 'int'.
   */
  labelMode: option(nullable(choice('int', 'categorical', 'binary')), 'int'),
  /** The classes in the order of their numbers, for inferred labels. Default: the sorted names of all subfolders. */
  classNames: option(
    nullable(
      listOf(
        custom<string>(
          (value, where) => {
            if (typeof value === 'string') return value
            throw new ArgumentError(`${where} must be the name of a subfolder, received ${quoted(value)}`)
          },
          (value) => value,
        ),
      ),
    ),
    null,
  ),
  /** Whether each pass has another order. Default true. */
  shuffle: option(boolean, true),
  /** The seed of the order and of the split. Default: derived from `setRandomSeed`. */
  seed: option(nullable(integer()), null),
  /** The share of the files for validation. Default: none. */
  validationSplit: option(nullable(number({ above: 0, below: 1 })), null),
  /** Which part the elements come from, with a `validationSplit`. */
  subset: option(nullable(choice('training', 'validation')), null),
  /** Must be false: links to folders are not followed. Default false. */
  followLinks: unread(always([false], 'links to folders are not followed'), false),
  /** Changes nothing: no number of files is printed. Default true. */
  verbose: unread(boolean, true),
  /** Changes nothing: there is one kind of batches. 'grain' warns. Default 'tf'. */
  format: unread(idle(choice('tf', 'grain'), ['tf'], 'there is one kind of batches'), 'tf'),
})
type LabelRows = ReturnType<typeof labelRows>
export type LabelTable = { [Name in keyof LabelRows]: LabelRows[Name] }
export const labelOptions: () => LabelTable = labelRows
/** Options with Keras's subset 'both', which gives both parts. */
export type BothParts<Options> = Omit<Options, 'subset'> & {
  /** 'both': the part for training and that for validation, with a `validationSplit`. */
  readonly subset: 'both'
}

/** Reads the part for training and that for validation if options have the subset 'both'; null for other options. */
export function bothParts<Part>(
  options: object,
  read: (options: object) => Promise<Part>,
): Promise<[training: Part, validation: Part]> | null {
  // Other values are refused by the reader of options.
  const isBoth = Object.entries({ ...options }).some(
    ([key, value]) => value === 'both' && knownName(key, SUBSET) !== undefined,
  )
  if (!isBoth) return null
  const others = withoutOptions(options, SUBSET)
  const part = (subset: string): Promise<Part> => read({ ...others, subset })
  return Promise.all([part('training'), part('validation')])
}
const SUBSET = ['subset']

type LabelSettings = ValuesOf<ReturnType<typeof labelOptions>> & { readonly signal: AbortSignal | null }
/** The options that all folders have. */
export type LabelOptions = OptionInputs<ReturnType<typeof labelOptions>>

/** The chosen files of a folder, with their classes, in an order for each pass. */
export interface FolderFiles {
  readonly files: Dataset<LabelledFile>
  readonly taken: readonly LabelledFile[]
  readonly classNames: readonly string[]
  /** The target of a class number, in the form of `labelMode`. */
  readonly targetOf: (label: number) => number | Tensor
  readonly isLabelled: boolean
}

/**
 * The files of a folder that the options select.
 * @throws ArgumentError for options that exclude each other, and for a folder without files or classes
 */
export async function folderFiles(kind: FileKind, path: string | URL, settings: LabelSettings): Promise<FolderFiles> {
  const { labelMode, shuffle, seed, validationSplit, subset, signal } = settings
  const { where } = kind
  if ((validationSplit === null) !== (subset === null))
    throw new ArgumentError(`${where}: validationSplit and subset ('training' or 'validation') go together`)
  if (validationSplit !== null && shuffle && seed === null)
    throw new ArgumentError(`${where}: a split that is shuffled needs a seed, or the parts would overlap`)
  const isLabelled = settings.labels !== null && labelMode !== null
  signal?.throwIfAborted()
  const isInferred = isLabelled && settings.labels === 'inferred'
  if (!isInferred && settings.classNames !== null)
    throw new ArgumentError(
      `${where}: classNames are for labels: 'inferred' with a labelMode. Remove classNames, or the other two options`,
    )
  const found = await orAbort(labelledFiles(kind, path, settings.classNames, isInferred, signal), signal)
  const { files, classNames } =
    Array.isArray(settings.labels) && isLabelled ? withLabels(kind, found.files, settings.labels) : found
  if (isLabelled && labelMode === 'binary' && classNames.length !== 2)
    throw new ArgumentError(`${where}: labelMode 'binary' needs two classes, received ${quoted(classNames)}`)
  const beyond = files.find(({ label }) => label < 0 || label >= classNames.length)
  if (isLabelled && labelMode !== 'int' && beyond !== undefined)
    throw new ArgumentError(
      `${where}: labelMode '${labelMode}' needs labels from 0 to ${classNames.length - 1} for ${classNames.length} classes, received ${beyond.label}`,
    )
  const taken = part(kind, files, shuffle ? seed : null, validationSplit, subset)
  const order = shuffle ? Dataset.from(taken).shuffle(taken.length, seed === null ? {} : { seed }) : Dataset.from(taken)
  const targetOf = (label: number): number | Tensor => {
    if (labelMode === 'categorical')
      return new Tensor(oneHot(label, classNames.length).data, [classNames.length], 'float32')
    return labelMode === 'binary' ? new Tensor(Float32Array.of(label), [1], 'float32') : label
  }
  return { files: order, taken, classNames, targetOf, isLabelled }
}

/** Files with the class numbers of the option `labels`. @throws ArgumentError unless there is one for each file */
function withLabels(
  { where, noun }: FileKind,
  files: readonly LabelledFile[],
  labels: readonly number[],
): { files: LabelledFile[]; classNames: readonly string[] } {
  if (labels.length !== files.length)
    throw new ArgumentError(
      `${where}: labels must have a number for each of the ${files.length} ${noun}s, received ${labels.length}`,
    )
  const classes = [...new Set(labels)].sort((a, b) => a - b)
  return { files: files.map(({ file }, i) => ({ file, label: labels[i]! })), classNames: classes.map(String) }
}

/** The elements of the files of a folder, with the names of the classes. */
export class FolderDataset<T> extends Dataset<T> {
  /** @internal */
  constructor(
    elements: Dataset<T>,
    /** The names of the classes: that of class i is at i. */
    readonly classNames: readonly string[],
    /** The paths of all files, before shuffling. */
    readonly files: readonly string[],
    signal: AbortSignal | null,
  ) {
    super(elements.size, (pass) => abortable(elements.open(pass), signal))
  }
}

/** A file and its class number. */
export interface LabelledFile {
  readonly file: string
  readonly label: number
}

/** Keras's rule: the last files are for validation. */
export function part(
  { where, noun }: FileKind,
  files: readonly LabelledFile[],
  seed: number | null,
  split: number | null,
  subset: 'training' | 'validation' | null,
): readonly LabelledFile[] {
  if (split === null) return files
  const order = seed === null ? files : Array.from(permutation(files.length, seed), (i) => files[i]!)
  const end = files.length - Math.floor(split * files.length)
  const taken = subset === 'training' ? order.slice(0, end) : order.slice(end)
  if (taken.length === 0)
    throw new ArgumentError(
      `${where}: validationSplit ${split} leaves no ${noun} for ${subset}, there are ${files.length}`,
    )
  return taken
}

/**
 * The files below a folder, with the numbers of their classes.
 * @param chosenNames the option `classNames`
 * @throws ArgumentError for a folder without files or classes
 */
export async function labelledFiles(
  kind: FileKind,
  path: string | URL,
  chosenNames: readonly string[] | null,
  isLabelled: boolean,
  signal: AbortSignal | null,
): Promise<{ files: LabelledFile[]; classNames: readonly string[] }> {
  const { where, endings, inPage } = kind
  const [files, paths, urls] = [nodeModule('node:fs/promises'), nodeModule('node:path'), nodeModule('node:url')]
  if (files === null || paths === null || urls === null)
    throw new StateError(`${where}: there are no folders in a browser. ${inPage}`)
  const root = isUrl(path) ? urls.fileURLToPath(path) : path
  const foreign: string[] = []
  const below = async (folder: string): Promise<string[]> => {
    const found = await foldersBelow(kind, files, paths, folder, foreign, signal)
    return found.sort((a, b) => byCodePoints(a.folder, b.folder)).flatMap((each) => each.files)
  }
  if (!isLabelled) {
    const unlabelled = (await below(root)).map((file) => ({ file, label: 0 }))
    tellOfForeign(kind, root, foreign, unlabelled.length)
    if (unlabelled.length === 0) throw new ArgumentError(`${where}: ${root} has no ${endings}`)
    return { files: unlabelled, classNames: [] }
  }
  const entries = await entriesOf(where, files, root)
  // As in Keras, a class may be a link to a folder; links within folders are not followed, since they may lead in circles.
  const areFolders = await Promise.all(
    entries.map(async (entry) => {
      if (!entry.isSymbolicLink()) return entry.isDirectory()
      const target = await files.stat(paths.join(root, entry.name)).catch(() => null)
      return target?.isDirectory() === true
    }),
  )
  const folders = entries
    .filter((_entry, i) => areFolders[i])
    .map(({ name }) => name)
    .sort(byCodePoints)
  const other = chosenNames?.find((name) => !folders.includes(name))
  if (other !== undefined)
    throw new ArgumentError(
      `${where}: ${quoted(other)} of classNames is no subfolder of ${root}. There are ${quoted(folders)}`,
    )
  const twice = chosenNames?.find((name, i) => chosenNames.indexOf(name) < i)
  if (twice !== undefined) throw new ArgumentError(`${where}: classNames has ${quoted(twice)} twice`)
  const classNames = chosenNames ?? folders.filter((name) => !isHidden(name))
  const found = await Promise.all(
    classNames.map(async (name, label) => (await below(paths.join(root, name))).map((file) => ({ file, label }))),
  )
  const all = found.flat()
  tellOfForeign(kind, root, foreign, all.length)
  if (all.length === 0)
    throw new ArgumentError(
      `${where}: ${root} has no ${endings} in subfolders, which are the classes. For ${kind.noun === 'picture' ? 'images' : 'files'} without classes, set labels: null.`,
    )
  return { files: all, classNames }
}

/** Folders for which a warning was shown. */
const told = new Set<string>()

/** Warns of files that are skipped. @throws ArgumentError if there are no others */
function tellOfForeign(
  { where, noun, remedy }: FileKind,
  root: string,
  foreign: readonly string[],
  count: number,
): void {
  if (foreign.length === 0) return
  const endings = [...new Set(foreign.map((name) => name.slice(name.lastIndexOf('.')).toLowerCase()))].sort().join(', ')
  const which = `${foreign.length} ${foreign.length === 1 ? noun : `${noun}s`} of ${root} (${endings})`
  if (count === 0) throw new ArgumentError(`${where}: cannot read the ${which}, and there are no others. ${remedy}`)
  if (told.has(root)) return
  told.add(root)
  warn(`${where}: passes over ${which}. ${remedy}`)
}

function entriesOf(where: string, files: NodeModules['node:fs/promises'], folder: string): Promise<Dirent[]> {
  return files.readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw fileError(where, folder, 'read', error)
  })
}

/** Whether a name is that of a file or folder that programs keep for themselves, such as .ipynb_checkpoints. */
const isHidden = (name: string): boolean => name.startsWith('.')

interface FilesOfFolder {
  readonly folder: string
  readonly files: readonly string[]
}

/** The sorted files of a folder, and those of each folder below it. Files that cannot be read go into `foreign`. */
async function foldersBelow(
  kind: FileKind,
  files: NodeModules['node:fs/promises'],
  paths: NodeModules['node:path'],
  folder: string,
  foreign: string[],
  signal: AbortSignal | null,
): Promise<FilesOfFolder[]> {
  signal?.throwIfAborted()
  const entries = (await entriesOf(kind.where, files, folder)).filter(({ name }) => !isHidden(name))
  const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name)
  const readable = names.filter((name) => kind.isRead.test(name)).sort(byCodePoints)
  foreign.push(...names.filter((name) => kind.isForeign?.test(name) === true))
  const inner = await Promise.all(
    entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => foldersBelow(kind, files, paths, paths.join(folder, name), foreign, signal)),
  )
  return [{ folder, files: readable.map((name) => paths.join(folder, name)) }, ...inner.flat()]
}
