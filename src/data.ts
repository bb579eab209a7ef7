// myelin/data: data on their way to a model.

export { Dataset, DatasetIterator } from './data/dataset'
export type {
  BatchOptions, BucketOptions, DatasetState, MapOptions, PaddedBatchOptions, RowOf, ShuffleOptions, WindowOptions,
} from './data/dataset'
export type { Batched } from './data/collate'
