// StringLookup and IntegerLookup: tokens to numbers, with a given or learnt vocabulary.

import { merged } from '../../core/merged'
import { isInt32 } from '../../core/dtypes'
import { ArgumentError, DataError } from '../../core/errors'
import { always, boolean, choice, configured, integer, nullable, option, text, unread } from '../../core/options'
import type { Config } from '../../core/registry'
import { sizeOf } from '../../core/shapes'
import { add, cast, equal, mod, where } from '../../ops/numpy/elementwise'
import { toTensor, type TensorLike } from '../../ops/convert'
import { take } from '../../ops/numpy/shape'
import { searchsorted } from '../../ops/numpy/sorting'
import { StringTensor, type NestedStrings } from '../../ops/strings'
import { Tensor } from '../../ops/tensor'
import type { BatchShape } from '../spec'
import type { AdaptData, AdaptOptions } from './adapted'
import { bucketOf } from './fingerprint'
import { Lookup, anyText, encodingOption, lookupOptions, saltKind, type CategoryMode } from './lookup'
import { StringLayer, adaptedStrings, rowsOf, stringsIn } from './string-layer'
import type { Specials, Token } from './vocabulary'
import { TENSOR } from '../forms'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

/** The special tokens before the vocabulary. @throws ArgumentError for `invert` together with vectors */
function specialsOf<T extends Token>(layer: {
  readonly maskToken: T | null
  readonly numOovIndices: number
  readonly oovToken: T
  readonly outputMode: CategoryMode
  readonly invert: boolean
}): Specials<T> {
  const { maskToken, numOovIndices, oovToken, outputMode, invert } = layer
  if (invert && outputMode !== 'int') throw new ArgumentError(`${String(layer)}: invert is only for outputMode 'int'`)
  return { mask: maskToken, isMaskNumbered: outputMode === 'int', unknowns: numOovIndices, unknown: oovToken }
}

const StringLookupBase = configured(
  StringLayer,
  () =>
    merged(lookupOptions(anyText), encodingOption(), {
      /** What stands for padding: number 0 in outputMode 'int', and vectors do not count it. Default null: none. */
      maskToken: option(nullable(anyText), null),
      /** The string for unknown numbers with `invert`. Default '[UNK]'. */
      oovToken: option(text, '[UNK]'),
      /** Numbers → strings. Default false. */
      invert: option(boolean, false),
      /** With several numOovIndices: a number, or two, which change how unknown strings share them. Default null. */
      salt: option(nullable(saltKind), null),
    }),
  [
    'maxTokens',
    'numOovIndices',
    'maskToken',
    'oovToken',
    'vocabulary',
    'idfWeights',
    'invert',
    'outputMode',
    'padToMaxTokens',
  ],
)

/**
 * Strings → their numbers in a vocabulary: [batch, …] → int32 [batch, …], or vectors over the vocabulary.
 *
 *   const kinds = new StringLookup()
 *   await kinds.adapt(['cat', 'dog', 'cat'])
 * kinds.apply(['dog', 'cat', 'bird'])            // [2, 1, 0]: 0 is unknown
 *   new StringLookup({ vocabulary: ['cat', 'dog'], outputMode: 'oneHot' })
 *
 * In a model, strings enter through `Input({ shape: [1], dtype: 'string' })`. With a maskToken, 0 is the mask and 1 is
 * unknown. `invert` maps numbers back to strings, outside of models.
 *
 * Keras: `keras.layers.StringLookup`.
 */
export class StringLookup extends StringLookupBase {
  static readonly className = 'StringLookup'
  /** @internal */
  static override readonly traits: LayerTraits<StringLookup> = {
    inputDtype: (layer) => (layer.invert ? 'int32' : 'string'),
    toTensors(layer, input) {
      return layer.invert ? toTensor(input, String(layer), 'int32') : stringsIn(layer, input)
    },
    outputDtype(layer) {
      if (layer.invert) return 'string'
      return layer.outputMode === 'int' ? 'int32' : 'float32'
    },
  }
  private readonly lookup = new Lookup<string>(this, this, specialsOf(this))

  /** Learns the vocabulary: the most frequent tokens first. Replaces the former vocabulary. */
  async adapt(data: AdaptData<NestedStrings>, options: AdaptOptions = {}): Promise<void> {
    await this.lookup.learn(data, options, (part, where) => rowsOf(adaptedStrings(part, where)))
  }

  /** All tokens by number; optionally without those for padding and unknown tokens. */
  getVocabulary(includeSpecialTokens = true): readonly string[] {
    return this.lookup.tokens(includeSpecialTokens)
  }

  /** Replaces the vocabulary. */
  setVocabulary(tokens: readonly string[], idfWeights: readonly number[] | null = null): void {
    this.lookup.replace(tokens, idfWeights)
  }

  /** The number of tokens, including special ones. */
  vocabularySize(): number {
    return this.lookup.vocabulary.size
  }

  override call(x: Tensor): Tensor {
    return this.invert ? this.namesOf(x) : super.call(x)
  }

  private namesOf(x: Tensor): StringTensor {
    if (Tensor.symbolOf(x) !== null)
      throw new ArgumentError(
        `${this}: numbers become strings only outside of models: call it on the result of predict`,
      )
    const { all } = this.lookup.vocabulary
    return new StringTensor(
      Array.from(x.data, (index) => all[index] ?? this.oovToken),
      x.shape,
    )
  }

  readStrings({ strings, shape }: StringTensor): Tensor {
    const { vocabulary } = this.lookup
    const place = String(this)
    const bucket = (token: string, buckets: number): number => bucketOf(token, buckets, this.salt)
    return new Tensor(
      Int32Array.from(strings, (token) => vocabulary.numberOf(token, place, bucket)),
      shape,
      'int32',
    )
  }

  /** @internal */
  readShape(shape: BatchShape): BatchShape {
    return shape
  }

  override computeOutputShape(shape: BatchShape): BatchShape {
    return this.lookup.shapeOf(shape)
  }

  protected encode(numbers: Tensor): Tensor {
    return this.lookup.encode(numbers)
  }

  override getConfig(): Config {
    return { ...super.getConfig(), ...this.lookup.config }
  }
}

const int32 = integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })

const IntegerLookupBase = configured(
  Layer<Tensor>,
  () =>
    merged(lookupOptions(int32), {
      /** 'int64' or 'int32': integers are int32. Default 'int64'. */
      vocabularyDtype: unread(always(['int64', 'int32'], 'the vocabulary has int32'), 'int64'),
      /** What stands for padding: number 0 in outputMode 'int', and vectors do not count it. Default null: none. */
      maskToken: option(nullable(int32), null),
      /** The integer for unknown numbers with `invert`. Default −1. */
      oovToken: option(int32, -1),
      /** Numbers → integers of the vocabulary. Default false. */
      invert: option(boolean, false),
      /**
       * How unknown integers share several numOovIndices: 'floormod', by the remainder; or 'farmhash', by the hash of their
       * digits, outside of models. Default floormod.
       */
      oovMethod: option(choice('floormod', 'farmhash'), 'floormod'),
      /** With 'farmhash': a number, or two, which change how unknown integers share the indices. Default null. */
      salt: option(nullable(saltKind), null),
    }),
  ['maxTokens', 'numOovIndices', 'maskToken', 'oovToken', 'vocabulary'],
)

/**
 * Integers → their numbers in a vocabulary: like StringLookup, but as part of the step.
 *
 *   const zip = new IntegerLookup({ vocabulary: [10115, 80331] })
 *   zip.apply([80331, 10115, 7])   // [2, 1, 0]
 *
 * Keras: `keras.layers.IntegerLookup`.
 */
export class IntegerLookup extends IntegerLookupBase {
  static readonly className = 'IntegerLookup'
  /** @internal */
  static override readonly traits: LayerTraits<IntegerLookup> = {
    form: TENSOR,
    inputDtype: () => 'int32',
    /** Not through float32, which cannot represent large integers. */
    toTensors: (layer, input) => (input instanceof Tensor ? input : toTensor(input, String(layer), 'int32')),
    validateInput(layer, x) {
      layer.requireKnown(x)
    },
    outputDtype: (layer) => (layer.outputMode === 'int' ? 'int32' : 'float32'),
  }

  protected override checkOptions(): void {
    if (this.salt !== null && this.oovMethod !== 'farmhash')
      throw new ArgumentError(`${this}: salt is only for oovMethod 'farmhash', received '${this.oovMethod}'`)
  }

  private readonly lookup = new Lookup<number>(this, this, specialsOf(this))

  /** @throws DataError for an integer that is not in the vocabulary, if numOovIndices is 0 */
  private requireKnown({ data }: Tensor): void {
    if (this.numOovIndices > 0 || this.invert) return
    const { vocabulary } = this.lookup
    for (const token of data) vocabulary.numberOf(token, String(this), () => 0)
  }

  /** Learns the vocabulary: the most frequent integers first. Replaces the former vocabulary. */
  async adapt(data: AdaptData<TensorLike>, options: AdaptOptions = {}): Promise<void> {
    await this.lookup.learn(data, options, function* (part, where) {
      const values = typeof part === 'number' ? [part] : part
      const wrong = toTensor(values, where).data.find((x: number) => !isInt32(x))
      if (wrong !== undefined)
        throw new DataError(`${where}: every element must be an integer of 32 bits, received ${wrong}`)
      // float32 cannot represent large integers.
      const { data: numbers, shape } = toTensor(values, where, 'int32')
      const width = sizeOf(shape.slice(1))
      for (let at = 0; at < numbers.length; at += width) yield [...numbers.subarray(at, at + width)]
    })
  }

  /** All tokens by number; optionally without those for padding and unknown tokens. */
  getVocabulary(includeSpecialTokens = true): readonly number[] {
    return this.lookup.tokens(includeSpecialTokens)
  }

  /** Replaces the vocabulary. */
  setVocabulary(tokens: readonly number[], idfWeights: readonly number[] | null = null): void {
    this.lookup.replace(tokens, idfWeights)
  }

  /** The number of tokens, including special ones. */
  vocabularySize(): number {
    return this.lookup.vocabulary.size
  }

  call(x: Tensor): Tensor {
    if (Tensor.symbolOf(x) === null) this.requireKnown(x)
    const numbers = cast(x, 'int32')
    return this.invert ? this.tokensOf(numbers) : this.lookup.encode(this.numbersOf(numbers))
  }

  private tokensOf(numbers: Tensor): Tensor {
    const { all } = this.lookup.vocabulary
    const table = new Tensor(Int32Array.of(...all, this.oovToken), [all.length + 1], 'int32')
    const isKnown = equal(mod(numbers, all.length), numbers)
    return take(table, where(isKnown, numbers, all.length), 0)
  }

  /** Which of several indices an unknown integer has. @throws ArgumentError for a hash in a model */
  private shareOf(x: Tensor, indices: number): Tensor {
    if (indices === 1 || this.oovMethod === 'floormod') return mod(x, indices)
    if (Tensor.symbolOf(x) !== null)
      throw new ArgumentError(
        `${this}: oovMethod 'farmhash' works on data, not in models. Apply the layer to the data first, or use 'floormod'.`,
      )
    return new Tensor(
      Int32Array.from(x.data, (value) => bucketOf(String(value), indices, this.salt)),
      x.shape,
      'int32',
    )
  }

  // Finds numbers by binary search in the sorted vocabulary.
  private numbersOf(x: Tensor): Tensor {
    const { vocabulary } = this.lookup
    const { specials, start, tokens } = vocabulary
    const ordered = tokens
      .map((token, i) => [token, start + i] as const)
      .concat(specials.mask === null ? [] : [[specials.mask, vocabulary.maskNumber]])
      .sort(([a], [b]) => a - b)
    const unknown = specials.unknowns === 0 ? -1 : add(this.shareOf(x, specials.unknowns), start - specials.unknowns)
    if (ordered.length === 0) return cast(add(multiplyByZero(x), unknown), 'int32')
    const keys = new Tensor(
      Int32Array.from(ordered, ([token]) => token),
      [ordered.length],
      'int32',
    )
    const numbers = new Tensor(
      Int32Array.from(ordered, ([, number]) => number),
      [ordered.length],
      'int32',
    )
    const at = mod(searchsorted(keys, x), ordered.length)
    return cast(where(equal(take(keys, at, 0), x), take(numbers, at, 0), unknown), 'int32')
  }

  override computeOutputShape(shape: BatchShape): BatchShape {
    return this.lookup.shapeOf(shape)
  }

  override getConfig(): Config {
    return { ...super.getConfig(), ...this.lookup.config }
  }
}

function multiplyByZero(x: Tensor): Tensor {
  return mod(x, 1)
}
