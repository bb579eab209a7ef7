// Layers whose kernels are int8 or int4 in files. `quantize` puts them in place of layers that do not multiply integers:
// embeddings, recurrent layers and attention, and with int4 all layers. In memory the kernels are float32, unpacked when a
// file is read: predictions take the time and the memory of the float32 layer.

import { ArgumentError, StateError, internalError, quoted } from '../core/errors'
import { configured, count, custom, nullable, option } from '../core/options'
import type { CustomObjects } from '../core/registry'
import { sizeOf } from '../core/shapes'
import { isFloatForm } from '../layers/float-form'
import { inFiles } from '../layers/saved-weights'
import {
  Bidirectional,
  Conv1D,
  Conv2D,
  Dense,
  EinsumDense,
  Embedding,
  GRU,
  GroupedQueryAttention,
  LSTM,
  MultiHeadAttention,
  SimpleRNN,
  TimeDistributed,
} from '../layers'
import type { CallContext } from '../layers/context'
import { parseEquation } from '../layers/core/einsum-equation'
import type { LayerBase } from '../layers/layer'
import { remade } from '../layers/remade'
import { computesAs } from '../layers/declared-units'
import { isKernel } from '../layers/units'
import { toTensor } from '../ops/convert'
import { Tensor } from '../ops/tensor'
import { Variable, type TensorLike } from '../ops/variable'
import {
  fromIntegers,
  nearest,
  pairs,
  scalesShape,
  toStored,
  unpaired,
  type Bits,
  type Groups,
  type Integers,
} from './integers'
import type { LayerTraits } from '../layers/traits'

/** How the kernels of a layer are stored in files. */
export interface Packing {
  readonly bits: Bits
  /** How many neighbouring weights share a scale; null for all of an output, or of a row of an embedding. */
  readonly groupSize: number | null
}

/** 4 or 8. */
export const bitsKind = custom<Bits>(
  (value, where) => {
    if (value === 4 || value === 8) return value
    throw new ArgumentError(`${where} must be 4 or 8, received ${quoted(value)}`)
  },
  (bits) => bits,
)

const packingOptions = () => ({
  /** The bits of a weight in files, 8 or 4. */
  bits: option(bitsKind, 8),
  /** How many neighbouring weights share a scale. Default null: all of an output. */
  groupSize: option(nullable(count), null),
})

/** A class of layers. */
interface LayerClass {
  readonly className: string
  readonly prototype: LayerBase
}
/** A class of layers that is made of options. */
type BaseClass = LayerClass & (abstract new (options: never) => LayerBase)

/** Options are read by their table, so that every class of layers may be constructed with any object. */
function readsOptions<Class extends BaseClass>(base: Class): base is Class & (new (options: object) => LayerBase) {
  return typeof base === 'function'
}

/** The packing of each packed layer. */
const packings = new WeakMap<object, Packing>()

/** How the kernels of a layer are stored in files; null unless `quantize` made the layer. */
export function packingOf(layer: LayerBase): Packing | null {
  return packings.get(layer) ?? null
}

/** A subclass whose kernels are integers in files. */
function packed(base: BaseClass): LayerClass {
  const name = `Packed${base.className}`
  if (!readsOptions(base)) throw internalError(`${name} needs a class of layers`)
  const Configured = configured(base, packingOptions)
  class Packed extends Configured {
    static override readonly className = name
    /** @internal */
    static readonly traits: LayerTraits<Packed> = {
      // Its units cannot be removed: prune the original model.
      unitFlow: () => null,
      innerUnits: () => [],
    }

    override ensureBuilt(input: Parameters<LayerBase['ensureBuilt']>[0]): void {
      const wasBuilt = this.built
      super.ensureBuilt(input)
      if (!wasBuilt) pack(this, this)
    }

    override call(input: unknown, context: CallContext): unknown {
      if (context.training)
        throw new StateError(
          `${this}: int${this.bits} layers are not trained. Train the original model and quantize it again.`,
        )
      return Reflect.apply(base.prototype.call, this, [input, context])
    }

    override get quantizationMode(): string {
      return `int${this.bits}`
    }
  }
  // Files of other programs contain the class, the options and the weights of the base.
  Object.defineProperty(Packed.prototype, 'constructor', { get: () => (isFloatForm() ? base : Packed) })
  return Packed
}

const BASES: readonly BaseClass[] = [
  Embedding,
  SimpleRNN,
  LSTM,
  GRU,
  Bidirectional,
  TimeDistributed,
  MultiHeadAttention,
  GroupedQueryAttention,
  EinsumDense,
  Dense,
  Conv1D,
  Conv2D,
]

const classes = new Map<LayerClass, LayerClass>(BASES.map((base) => [base, packed(base)]))

/** The classes of packed layers by their names. */
export const packedLayers: CustomObjects = Object.fromEntries(
  [...classes.values()].map((each) => [each.className, each]),
)

/** The class of a layer, and whether the layer computes what that class does; null for a class without a packed form. */
export function packedBase(layer: LayerBase): { readonly of: LayerClass; readonly isExact: boolean } | null {
  const of = BASES.find((base) => layer instanceof base)
  return of === undefined ? null : { of, isExact: computesAs(layer, of) }
}

/** A layer that replaces another one, and a function that sets its weights once it is built. */
interface Filled {
  readonly layer: LayerBase
  readonly fill: () => void
}

/** A packed layer with the weights of a layer; null for a layer without a packed form, and if that is not smaller. */
export function packedFrom(layer: LayerBase, packing: Packing): Filled | null {
  const base = packedBase(layer)
  if (base?.isExact !== true || !kernelsOf(layer, packing).some(isSmaller)) return null
  const made = remade(layer, packing, classes.get(base.of))
  // The kernel of a layer with LoRA is the sum of all its matrices.
  const fill = (): void => inFiles(layer.weights).forEach((weight, i) => made.weights[i]!.assign(weight.value))
  return { layer: made, fill }
}

/**
 * Turns a layer into a packed one, in place: its kernels are rounded, and are integers in files. @returns false for a layer
 * without a packed form, and if that is not smaller
 */
export function packInPlace(layer: LayerBase, packing: Packing): boolean {
  const base = packedBase(layer)
  if (base?.isExact !== true || !kernelsOf(layer, packing).some(isSmaller)) return false
  const kernels = kernelsOf(layer, packing).map(({ variable }) => variable)
  Object.setPrototypeOf(layer, classes.get(base.of)!.prototype)
  Object.assign(layer, packing)
  pack(layer, packing)
  for (const kernel of kernels) kernel.assign(kernel.value)
  return true
}

/** A kernel, and how its integers share scales. */
interface Kernel extends Groups {
  readonly variable: Variable
  readonly bits: Bits
}

/** The kernels of a layer and of its inner layers. */
function kernelsOf(layer: LayerBase, { bits, groupSize }: Packing): readonly Kernel[] {
  return layer.allLayers.flatMap((owner) =>
    owner.ownWeights.filter(isKernel).map((variable) => {
      const axis = owner instanceof Embedding ? 1 : 0
      const rows = sizeOf(variable.shape.slice(0, inputAxesOf(owner, variable)))
      const columns = variable.size / rows
      const extent = axis === 0 ? rows : columns
      return { variable, bits, rows, columns, axis, size: Math.min(groupSize ?? extent, extent) }
    }),
  )
}

/** How many leading axes of a kernel are summed over. */
function inputAxesOf(owner: LayerBase, { shape }: Variable): number {
  if (!(owner instanceof EinsumDense)) return shape.length - 1
  const { kernel, output } = parseEquation(String(owner), owner.equation)
  const first = [...kernel].findIndex((letter) => output.includes(letter))
  return first > 0 ? first : shape.length - 1
}

const bytesIn = (kernel: Kernel): number =>
  Math.ceil((kernel.variable.size * kernel.bits) / 8) + 4 * sizeOf(scalesShape(kernel))

/** Whether integers with scales are smaller than float32. They are not if the groups are very small. */
const isSmaller = (kernel: Kernel): boolean => bytesIn(kernel) < 4 * kernel.variable.size

/** Stores the kernels of a layer that was just built as integers in files, and freezes the layer. */
function pack(layer: LayerBase, packing: Packing): void {
  packings.set(layer, packing)
  layer.trainable = false
  for (const weight of layer.weights) weight.trainable = false
  kernelsOf(layer, packing).filter(isSmaller).forEach(store)
}

/** Rounds every value of a kernel to numbers that integers with scales represent, and stores those in files. */
function store(kernel: Kernel): void {
  const { variable, bits } = kernel
  const { size } = variable
  const assign = (numbers: ArrayLike<number>): void => {
    const data = nearest(numbers, kernel, bits)
    Variable.prototype.assign.call(variable, new Tensor(data, variable.shape, 'float32'))
  }
  const current = (): Integers => toStored(variable.view, kernel, bits)
  // A file is read in parts: integers and scales arrive one after the other.
  let received: Partial<Integers> = {}
  const receive = (part: Partial<Integers>): void => {
    received = { ...received, ...part }
    const { integers, scales } = received
    if (integers === undefined || scales === undefined) return
    assign(fromIntegers({ integers, scales }, kernel))
    received = {}
  }
  const isPaired = bits === 4
  Object.defineProperty(variable, 'assign', {
    value: (numbers: TensorLike) => assign(toTensor(numbers, `${variable.name}: the new value`).data),
  })
  const inFile = [
    fileVariable(variable, `int${bits}`, {
      shape: isPaired ? [Math.ceil(size / 2)] : variable.shape,
      dtype: 'int8',
      read: () => (isPaired ? pairs(current().integers) : current().integers),
      write: (data) => receive({ integers: isPaired ? unpaired(data, size) : Int8Array.from(data) }),
    }),
    fileVariable(variable, 'scales', {
      shape: scalesShape(kernel),
      dtype: 'float32',
      read: () => current().scales,
      write: (data) => receive({ scales: Float32Array.from(data) }),
    }),
  ]
  Object.defineProperty(variable, 'inFile', { get: () => (isFloatForm() ? undefined : inFile) })
}

interface FileContent {
  readonly shape: readonly number[]
  readonly dtype: 'int8' | 'float32'
  read(): Int8Array | Float32Array
  write(data: ArrayLike<number>): void
}

/** A variable that exists only in files: its content is computed from the kernel. */
function fileVariable(base: Variable, suffix: string, { shape, dtype, read, write }: FileContent): Variable {
  const variable: Variable = Object.create(base, {
    name: { value: `${base.name}_${suffix}` },
    shape: { value: shape },
    dtype: { value: dtype },
    inFile: { value: undefined },
    trainable: { value: false, writable: true },
    view: { get: read },
    value: { get: () => new Tensor(read(), shape, dtype) },
    assign: { value: ({ data }: Tensor) => write(data) },
  })
  return variable
}
