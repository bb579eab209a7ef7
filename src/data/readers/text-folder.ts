// textDatasetFromDirectory: the texts of a folder whose subfolders are the classes.

import { merged } from '../../core/merged'
import { requireArguments } from '../../core/arguments'
import { count, nullable, option, readOptions, type OptionInputs } from '../../core/options'
import { signalOption } from '../samples/abort'
import { Decoder } from './blocks'
import { requireData } from './bytes'
import { FolderReader } from './folder-file'
import { FolderDataset, bothParts, folderFiles, labelOptions, type FileKind, type BothParts } from './folders'

const TEXTS: FileKind = {
  where: 'textDatasetFromDirectory',
  isRead: /\.txt$/i,
  isForeign: null,
  endings: '.txt',
  noun: 'text',
  remedy: 'Text files (.txt) are read.',
  inPage: "Take readText(files, { by: 'file' }).",
}

const textFolderOptions = () =>
  merged(signalOption(), labelOptions(), {
    /** The number of characters after which a text is cut; Keras counts bytes. Default null: unlimited. */
    maxLength: option(nullable(count), null),
  })
/** Options of `textDatasetFromDirectory`. */
export type TextDatasetOptions = OptionInputs<ReturnType<typeof textFolderOptions>>

/**
 * The texts below a folder whose subfolders are the classes: [texts, class numbers], batch by batch.
 *
 *   const reviews = await textDatasetFromDirectory('imdb/train', { validationSplit: 0.2, subset: 'training', seed: 1 })
 *
 * Files are UTF-8 text (.txt).
 *
 * Keras: `keras.utils.text_dataset_from_directory`.
 * With the subset 'both' it returns the part for training and the part for validation.
 * @throws ArgumentError for a folder without texts or classes; RowError, during a pass, for a file that is not UTF-8;
 * StateError in a page, which has no folders; the reason of the signal
 */
export async function textDatasetFromDirectory(
  directory: string | URL,
  options: BothParts<TextDatasetOptions>,
): Promise<[training: FolderDataset<unknown>, validation: FolderDataset<unknown>]>
export async function textDatasetFromDirectory(
  directory: string | URL,
  options?: TextDatasetOptions,
): Promise<FolderDataset<unknown>>
export async function textDatasetFromDirectory(
  directory: string | URL,
  options: TextDatasetOptions | BothParts<TextDatasetOptions> = {},
): Promise<FolderDataset<unknown> | [FolderDataset<unknown>, FolderDataset<unknown>]> {
  requireArguments('textDatasetFromDirectory', arguments, 2)
  return bothParts(options, (each) => textsBelow(directory, each)) ?? textsBelow(directory, options)
}

async function textsBelow(directory: string | URL, options: object): Promise<FolderDataset<unknown>> {
  const settings = readOptions('textDatasetFromDirectory', textFolderOptions(), options)
  const { batchSize, maxLength, signal } = settings
  const { files, taken, classNames, targetOf, isLabelled } = await folderFiles(TEXTS, directory, settings)
  const folder = new FolderReader('textDatasetFromDirectory', signal)
  const texts = files.map(async ({ file, label }) => {
    const bytes = await folder.read(file)
    requireData(bytes, file, 'allowed')
    const whole = new Decoder(file, 'utf-8').decode(bytes, 1)
    // A character has one or two UTF-16 units.
    const text =
      maxLength === null
        ? whole
        : Array.from(whole.slice(0, 2 * maxLength))
            .slice(0, maxLength)
            .join('')
    return isLabelled ? [text, targetOf(label)] : text
  })
  return new FolderDataset<unknown>(
    batchSize === null ? texts : texts.batch(batchSize),
    classNames,
    taken.map(({ file }) => file),
    signal,
  )
}
