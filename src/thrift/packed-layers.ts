// Layers whose files have their kernels as int8 or int4, by which `quantize` replaces layers that do not multiply integers:
// embeddings, recurrent layers and attention, and all layers with int4. In memory the kernels are float32, unpacked when a
// file is read: predictions take the time and the memory of the float32 layer.

import { ArgumentError, StateError, quoted } from '../core/errors'
import { configured, count, custom, nullable, option } from '../core/options'
import type { CustomObjects } from '../core/registry'
import { sizeOf } from '../core/shapes'
import { typed } from '../core/tree'
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

/** How files have the kernels of a layer. */
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
type LayerClass = (abstract new (...given: never) => LayerBase) & {
  readonly className: string
  readonly prototype: LayerBase
}

/** Packed layers, known by their packing. */
const packings = new WeakMap<object, Packing>()

/** How files have the kernels of a layer; null unless it was made by `quantize`. */
export function packingOf(layer: LayerBase): Packing | null {
  return packings.get(layer) ?? null
}

/** A subclass whose files have integers. */
function packed(base: LayerClass): LayerClass {
  const name = `Packed${base.className}`
  const Configured = configured(typed<new (options: object) => LayerBase>(base), packingOptions)
  class Packed extends Configured {
    static readonly className = name
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
  // Files of other programs have the class, the options and the weights of the base.
  Object.defineProperty(Packed.prototype, 'constructor', { get: () => (isFloatForm() ? base : Packed) })
  return typed(Packed)
}

const BASES: readonly LayerClass[] = [
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

const classes = new Map(BASES.map((base) => [base, packed(base)]))

/** The classes of packed layers by their names. */
export const packedLayers: CustomObjects = Object.fromEntries(
  [...classes.values()].map((each) => [each.className, each]),
)

/** The class of which a layer is, and whether it computes what that class does; null for a class without a packed form. */
export function packedBase(layer: LayerBase): { readonly of: LayerClass; readonly isExact: boolean } | null {
  const of = BASES.find((base) => layer instanceof base)
  return of === undefined ? null : { of, isExact: computesAs(layer, of) }
}

/** A layer that replaces another one, and a function that sets its weights once it is built. */
interface Filled {
  readonly own: LayerBase
  readonly fill: () => void
}

/** A packed layer with the weights of a layer; null for a layer without a packed form, or if that takes no less room. */
export function packedFrom(layer: LayerBase, packing: Packing): Filled | null {
  const base = packedBase(layer)
  if (base?.isExact !== true || !kernelsOf(layer, packing).some(isSmaller)) return null
  const own = remade(layer, packing, classes.get(base.of))
  // Of a layer with LoRA, the sum is the kernel.
  return { own, fill: () => inFiles(layer.weights).forEach((weight, i) => own.weights[i]!.assign(weight.value)) }
}

/**
 * Makes a layer a packed one, in place: its kernels are rounded, and files have integers. @returns false for a layer without a
 * packed form, or if that takes no less room
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

/** Whether the integers take less room: not if the groups are very small. */
const isSmaller = (kernel: Kernel): boolean => bytesIn(kernel) < 4 * kernel.variable.size

/** Lets files have integers in place of the kernels of a layer that was just built, and lets no optimizer change it. */
function pack(layer: LayerBase, packing: Packing): void {
  packings.set(layer, packing)
  layer.trainable = false
  for (const weight of layer.weights) weight.trainable = false
  kernelsOf(layer, packing).filter(isSmaller).forEach(store)
}

/** Lets a kernel hold only numbers that integers with scales can represent, and lets files have those. */
function store(kernel: Kernel): void {
  const { variable, bits } = kernel
  const { size } = variable
  const assign = (numbers: ArrayLike<number>): void => {
    const data = nearest(numbers, kernel, bits)
    Variable.prototype.assign.call(variable, new Tensor(data, variable.shape, 'float32'))
  }
  const current = (): Integers => toStored(variable.view, kernel, bits)
  // A file gives integers and scales one after the other.
  const given: { integers?: Int8Array; scales?: Float32Array } = {}
  const give = (part: typeof given): void => {
    Object.assign(given, part)
    const { integers, scales } = given
    if (integers === undefined || scales === undefined) return
    assign(fromIntegers({ integers, scales }, kernel))
    delete given.integers
    delete given.scales
  }
  const bytes = bits === 4
  Object.defineProperty(variable, 'assign', {
    value: (numbers: TensorLike) => assign(toTensor(numbers, `${variable.name}: the new value`).data),
  })
  const inFile = [
    fileVariable(variable, `int${bits}`, {
      shape: bytes ? [Math.ceil(size / 2)] : variable.shape,
      dtype: 'int8',
      read: () => (bytes ? pairs(current().integers) : current().integers),
      write: (data) => give({ integers: bytes ? unpaired(data, size) : Int8Array.from(data) }),
    }),
    fileVariable(variable, 'scales', {
      shape: scalesShape(kernel),
      dtype: 'float32',
      read: () => current().scales,
      write: (data) => give({ scales: Float32Array.from(data) }),
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

/** A variable that only files have: its content is computed from the kernel. */
function fileVariable(base: Variable, suffix: string, { shape, dtype, read, write }: FileContent): Variable {
  return Object.create(base, {
    name: { value: `${base.name}_${suffix}` },
    shape: { value: shape },
    dtype: { value: dtype },
    inFile: { value: undefined },
    trainable: { value: false, writable: true },
    view: { get: read },
    value: { get: () => new Tensor(read(), shape, dtype) },
    assign: { value: ({ data }: Tensor) => write(data) },
  }) as Variable
}
