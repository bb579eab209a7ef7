// The public names of `myelin/search`, and nothing else.

export { gridSearch, randomSearch } from '../search/search'
export type { ColumnsLike, Halving, Make, RandomSearchOptions, SearchOptions } from '../search/search'
export { SearchResult } from '../search/result'
export type { Best, Trial } from '../search/result'
export type { EpochLogs, FitPlace } from '../search/fits'
export type { ChoiceOf, GridSpace, RandomSpace, RangeOfNumbers } from '../search/space'
export { serveTrials } from '../search/threads'
