// myelin/data: data on their way to a model.

export { Dataset, DatasetIterator } from './data/dataset'
export type {
  BatchOptions, BucketOptions, DatasetState, MapOptions, PaddedBatchOptions, RowOf, ShuffleOptions, WindowOptions,
} from './data/dataset'
export type { Batched } from './data/collate'
export { CsvDataset, readCsv } from './data/csv'
export type { CsvElement, CsvOptions, CsvRecord, CsvSchema } from './data/csv'
export type { ColumnType, CsvValue, DateParts, MissingPolicy } from './data/csv-columns'
export { JsonLinesDataset, readJsonLines, readText } from './data/text'
export type { JsonLinesOptions, ReadTextOptions } from './data/text'
export type { ByteSource } from './data/bytes'
export { RowError } from './core/errors'
export { ImageFolder, imageFolder, readImage } from './data/images'
export type { ImageFolderElement, ImageFolderOptions } from './data/images'
export { fromPixels, webcamFrames } from './data/pixels'
export type { Channels, PixelBytes, PixelOptions, PixelSource } from './data/pixels'
export { readNpy, readNpz, writeNpy, writeNpz } from './data/npy'
export type { NpzOptions } from './data/npy'
