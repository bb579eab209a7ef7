// myelin/data: data on their way to a model.

export { Dataset, DatasetIterator } from '../data/dataset'
export type { DatasetState, RowOf } from '../data/dataset'
export type {
  BatchOptions,
  BucketOptions,
  MapOptions,
  PaddedBatchOptions,
  ShuffleOptions,
  WindowOptions,
} from '../data/dataset-options'
export type { Batched } from '../data/samples/collate'
export { CsvDataset, readCsv } from '../data/readers/csv/read-csv'
export type { CsvElement, CsvOptions, CsvRecord } from '../data/readers/csv/csv-options'
export type { CsvSchema } from '../data/readers/csv/read-csv'
export type { ColumnType, CsvValue, DateParts, MissingPolicy } from '../data/readers/csv/columns'
export { JsonLinesDataset, readJsonLines, readText } from '../data/readers/text'
export type { JsonLinesOptions, ReadTextOptions } from '../data/readers/text'
export type { ByteSource, TextSource } from '../data/readers/bytes'
export { RowError } from '../core/errors'
export { ImageFolder, imageDatasetFromDirectory, imageFolder, readImage } from '../data/readers/images'
export type {
  ImageDatasetOptions,
  ImageFolderElement,
  ImageFolderOptions,
  ReadImageOptions,
} from '../data/readers/images'
export { fromPixels, webcamFrames } from '../data/readers/pixels'
export type { Channels } from '../data/readers/pixel-rows'
export type { ImageOptions, PixelBytes, PixelOptions, PixelSource } from '../data/readers/pixels'
export { audioDatasetFromDirectory, readWav } from '../data/readers/audio'
export type { AudioDatasetOptions, Wav } from '../data/readers/audio'
export { textDatasetFromDirectory } from '../data/readers/text-folder'
export type { TextDatasetOptions } from '../data/readers/text-folder'
export { FolderDataset } from '../data/readers/folders'
export type { LabelOptions } from '../data/readers/folders'
export { readNpy, readNpz, writeNpy, writeNpz } from '../data/readers/npy'
export type { NpzOptions, NpzReadOptions } from '../data/readers/npy'
export { classWeights, kFold, toCategorical, trainTestSplit } from '../data/samples/splits'
export { crossValidate } from '../data/cross-validate'
export type { CrossValidateOptions, CrossValidation, ValidatedModel } from '../data/cross-validate'
export type { ClassCount, Fold, FoldOptions, Split, SplitOptions } from '../data/samples/splits'
export type { Labels, RowData, RowsByName } from '../data/samples/rows'
export type { ReadOptions } from '../data/samples/abort'
export { splitDataset } from '../data/split-dataset'
export type { SplitDatasetOptions } from '../data/split-dataset'
export { PyDataset } from '../data/samples/py-dataset'
export type { PyDatasetOptions } from '../data/samples/py-dataset'
export { TableModel } from '../tables/table-model'
export type { ClassAnswer, ClassValue, LabelledOptions, TableAnswer, TableDescription } from '../tables/table-model'
export type { TableKind, TableRow } from '../tables/values'
export { TableProposal } from '../tables/from-rows/columns'
export type { ColumnChoice, ColumnKind, MissingKind, ProposedColumn, ProposedTarget } from '../tables/from-rows/columns'
export { describeTable, tableModel } from '../tables/from-rows/table-model'
export type { DescribeTableOptions, TableModelSettings, TableRows } from '../tables/from-rows/table-model'
export { timeseriesDataset, timeseriesDatasetFromArray } from '../data/timeseries'
export type { TimeseriesElement, TimeseriesOptions } from '../data/timeseries'
