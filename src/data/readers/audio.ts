// readWav and audioDatasetFromDirectory: samples of sound from WAV files. Every length in a file is checked before it is used.

import { merged } from '../../core/merged'
import { requireArguments } from '../../core/arguments'
import { DataError } from '../../core/errors'
import { always, count, extent, nullable, option, readOptions, unread, type OptionInputs } from '../../core/options'
import { requireSize } from '../../core/shapes'
import { Tensor } from '../../ops/tensor'
import { signalOption, type ReadOptions } from '../samples/abort'
import { allBytes, nameOf, requireData, type ByteSource } from './bytes'
import { FolderReader } from './folder-file'
import { FolderDataset, bothParts, folderFiles, labelOptions, type FileKind, type BothParts } from './folders'

/** The contents of a WAV file. */
export interface Wav {
  /** float32 [samples, channels], from −1 to 1. */
  readonly audio: Tensor
  /** Samples per second. */
  readonly sampleRate: number
}

/** The maximum number of samples of a file, in all channels. */
const MOST_SAMPLES = 2 ** 27
const [PCM, FLOAT, EXTENSIBLE] = [1, 3, 0xfffe]

/** How samples are stored. */
interface Format {
  readonly isFloat: boolean
  readonly channels: number
  readonly sampleRate: number
  readonly bits: number
}

/**
 * The sound of a WAV file: PCM with 8, 16, 24 or 32 bits, or float32.
 *
 *   const { audio, sampleRate } = await readWav('bell.wav')   // float32 [44100, 2], 44100
 *
 * @param source a path, a URL, a File or Blob, bytes, a stream (see ByteSource)
 * @throws DataError for a file that is not such a WAV file, or is truncated; the reason of the signal
 */
export async function readWav(source: ByteSource, options: ReadOptions = {}): Promise<Wav> {
  requireArguments('readWav', arguments, 2)
  const { signal } = readOptions('readWav', signalOption(), options)
  return decodeWav(await allBytes(source, 'readWav', signal), nameOf(source))
}

function decodeWav(bytes: Uint8Array, name: string): Wav {
  requireData(bytes, name, 'refused')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const tag = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4))
  if (bytes.length < 12 || tag(0) !== 'RIFF' || tag(8) !== 'WAVE') throw new DataError(`${name} is not a WAV file`)
  let format: Format | null = null
  for (let at = 12; at + 8 <= bytes.length;) {
    const [id, size] = [tag(at), view.getUint32(at + 4, true)]
    const begin = at + 8
    if (id === 'fmt ') {
      if (size < 16 || begin + size > bytes.length)
        throw new DataError(`${name} is truncated: its format is incomplete`)
      format = formatIn(view, begin, size, name)
    }
    if (id === 'data') {
      if (format === null) throw new DataError(`${name} is damaged: its samples come before their format`)
      if (begin + size > bytes.length)
        throw new DataError(`${name} is truncated: it has ${bytes.length - begin} of ${size} bytes of samples`)
      return { audio: samplesIn(view, begin, size, format, name), sampleRate: format.sampleRate }
    }
    // A chunk with an odd size is followed by one more byte.
    at = begin + size + (size % 2)
  }
  throw new DataError(`${name} is truncated: it has no samples`)
}

function formatIn(view: DataView, at: number, size: number, name: string): Format {
  const code = view.getUint16(at, true)
  // The format of an extensible header is the start of its GUID.
  const kind = code === EXTENSIBLE && size >= 26 ? view.getUint16(at + 24, true) : code
  const [channels, sampleRate, bits] = [
    view.getUint16(at + 2, true),
    view.getUint32(at + 4, true),
    view.getUint16(at + 14, true),
  ]
  const isKnown = (kind === PCM && [8, 16, 24, 32].includes(bits)) || (kind === FLOAT && bits === 32)
  if (!isKnown)
    throw new DataError(
      `${name}: PCM with 8, 16, 24 or 32 bits and float32 are read, received format ${kind} with ${bits} bits`,
    )
  if (channels === 0 || sampleRate === 0)
    throw new DataError(`${name} is damaged: it has ${channels} channels and ${sampleRate} samples per second`)
  return { isFloat: kind === FLOAT, channels, sampleRate, bits }
}

function samplesIn(view: DataView, begin: number, size: number, format: Format, name: string): Tensor {
  const { isFloat, channels, bits } = format
  const width = bits / 8
  const length = Math.floor(size / (width * channels))
  const total = length * channels
  if (total > MOST_SAMPLES)
    throw new DataError(`${name}: a file must have at most ${MOST_SAMPLES} samples, received ${total}`)
  const data = new Float32Array(total)
  const scale = 2 ** (1 - bits)
  for (let i = 0; i < total; i++) {
    const at = begin + i * width
    if (isFloat) data[i] = view.getFloat32(at, true)
    // Eight bits are unsigned.
    else if (bits === 8) data[i] = (view.getUint8(at) - 128) * scale
    else if (bits === 16) data[i] = view.getInt16(at, true) * scale
    else if (bits === 24) data[i] = (view.getUint16(at, true) + view.getInt8(at + 2) * 65536) * scale
    else data[i] = view.getInt32(at, true) * scale
  }
  if (data.some((value) => !Number.isFinite(value))) throw new DataError(`${name} has samples that are not finite`)
  return new Tensor(data, [length, channels], 'float32')
}

const SOUNDS: FileKind = {
  where: 'audioDatasetFromDirectory',
  isRead: /\.wav$/i,
  isForeign: /\.(?:mp3|ogg|flac|m4a|aac|opus|aiff?|wma)$/i,
  endings: '.wav',
  noun: 'sound',
  remedy: 'WAV files (.wav) are read. Convert the others first.',
  inPage: 'Take Dataset.from(files).map((file) => readWav(file)).',
}

const audioOptions = () =>
  merged(signalOption(), labelOptions(), {
    /**
     * The number of samples of each element: longer sounds are cut, shorter ones end with zeros. Default null: as in the file, with
     * zeros up to the longest of the batch.
     */
    outputSequenceLength: option(nullable(extent), null),
    /** The samples per second that all files must have. Default null: those of each file. */
    samplingRate: option(nullable(count), null),
    /** Must be false: there are no ragged tensors. Default false. */
    ragged: unread(always([false], 'there are no ragged tensors. Give outputSequenceLength'), false),
  })
/** Options of `audioDatasetFromDirectory`. */
export type AudioDatasetOptions = OptionInputs<ReturnType<typeof audioOptions>>

/**
 * The sounds below a folder whose subfolders are the classes: [float32 [batch, samples, channels], class numbers], batch by
 * batch. Files are WAV (.wav), see `readWav`. Without `outputSequenceLength`, the shorter ones of a batch end with zeros.
 *
 *   const words = await audioDatasetFromDirectory('speech', { outputSequenceLength: 16000, labelMode: 'categorical' })
 *
 * Keras: `keras.utils.audio_dataset_from_directory`. Files are not resampled: one with another `samplingRate` is an error.
 * With the subset 'both' it returns the part for training and the part for validation.
 * @throws ArgumentError for a folder without sounds or classes; DataError, during a pass, for a broken file; StateError in a
 * page, which has no folders; the reason of the signal
 */
export async function audioDatasetFromDirectory(
  directory: string | URL,
  options: BothParts<AudioDatasetOptions>,
): Promise<[training: FolderDataset<unknown>, validation: FolderDataset<unknown>]>
export async function audioDatasetFromDirectory(
  directory: string | URL,
  options?: AudioDatasetOptions,
): Promise<FolderDataset<unknown>>
export async function audioDatasetFromDirectory(
  directory: string | URL,
  options: AudioDatasetOptions | BothParts<AudioDatasetOptions> = {},
): Promise<FolderDataset<unknown> | [FolderDataset<unknown>, FolderDataset<unknown>]> {
  requireArguments('audioDatasetFromDirectory', arguments, 2)
  return bothParts(options, (each) => soundsBelow(directory, each)) ?? soundsBelow(directory, options)
}

async function soundsBelow(directory: string | URL, options: object): Promise<FolderDataset<unknown>> {
  const settings = readOptions('audioDatasetFromDirectory', audioOptions(), options)
  const { batchSize, outputSequenceLength, samplingRate, signal } = settings
  const { files, taken, classNames, targetOf, isLabelled } = await folderFiles(SOUNDS, directory, settings)
  const folder = new FolderReader('audioDatasetFromDirectory', signal)
  const sounds = files.map(async ({ file, label }) => {
    const { audio, sampleRate } = decodeWav(await folder.read(file), file)
    if (samplingRate !== null && sampleRate !== samplingRate)
      throw new DataError(`${file} has ${sampleRate} samples per second, expected ${samplingRate}`)
    const sound = outputSequenceLength === null ? audio : ofLength(audio, outputSequenceLength)
    return isLabelled ? [sound, targetOf(label)] : sound
  })
  return new FolderDataset<unknown>(
    batchSize === null ? sounds : sounds.paddedBatch(batchSize),
    classNames,
    taken.map(({ file }) => file),
    signal,
  )
}

/** The first samples, with zeros at the end if there are too few. */
function ofLength({ data, shape }: Tensor, length: number): Tensor {
  const channels = shape[1]!
  requireSize('audioDatasetFromDirectory', [length, channels])
  const samples = new Float32Array(length * channels)
  samples.set(data.subarray(0, samples.length))
  return new Tensor(samples, [length, channels], 'float32')
}
