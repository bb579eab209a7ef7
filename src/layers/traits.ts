// What a layer says of itself: one value for each class, its traits. A class declares those in which it differs from its
// base; functions read them by `traitsOf`. They are not members of `Layer`, so that the class has the methods of users alone.
//
//   class declares   static traits = { form: ELEMENTWISE, unitFlow: () => KEEPS }
//   traitsOf(layer)  the traits of the object, of its class, of the base of the class, …: the first that is declared counts
//   who reads them   running.ts, inference.ts, building.ts and applying.ts for a call; declared-units.ts for units;
//                    weight-lists.ts for parts; graphs and files for masks

import type { DType } from '../core/dtypes'
import { ArgumentError } from '../core/errors'
import type { Shape } from '../core/shapes'
import type { Tree } from '../core/tree'
import type { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import type { ApplyOptions, CallOption } from './call-options'
import type { CallContext } from './context'
import type { LayerForm } from './forms'
import type { MaskTrail } from './masks'
import type { Part } from './parts'
import type { BatchShape, InputSpec, TensorSpec } from './spec'
import type { InnerUnits, UnitFlow } from './units'

/** All that the classes of layers may declare. `Of` is the class; each function gets the layer first. */
export interface LayerTraits<Of = object> {
  /** The inputs that the layer accepts, and the shape and dtype of the output. Default: any, found by tracing. */
  readonly form?: LayerForm
  /** The dtype of the output if `computeOutputShape` gives its shape. Default: that of the form. */
  outputDtype?(layer: Of, inputs: readonly DType[]): DType
  /** The dtype that data for the layer get if nothing else is given. Default float32. */
  inputDtype?(layer: Of): DType
  /** The `inputSpec` of the class. Default null: no requirement. */
  requiredInputs?(layer: Of): InputSpec | readonly InputSpec[] | null
  /** Options that the constructor reads, besides `seed`: they are fixed once the layer is built. Default none. */
  readonly constructorOptions?: readonly string[]
  /**
   * The options that a call of this layer accepts besides `training` and `mask`. A layer that reads `initialState` or `attention` from
   * its context lists them here; all others are refused. Default none.
   */
  readonly callOptions?: readonly CallOption[]

  /**
   * Refuses an input that the weights do not fit, before `call` and before it is recorded. `requireExtents` of checks.ts does it for the
   * axes that the weights depend on.
   * @param shape of an input
   * @param built the shape for which the weights were created
   * @param path which of several inputs: `[1]`, `.query`; '' for the only one
   * @throws ShapeError
   */
  checkShape?(layer: Of, shape: BatchShape, built: BatchShape, path: string): void
  /**
   * Refuses a mask that does not fit its input, before `call`. `requireMask` of checks.ts does it for masks of steps.
   * @throws ShapeError
   */
  checkMask?(layer: Of, mask: Tensor, shape: Shape, path: string): void
  /**
   * Checks data that the model passes to this layer unchanged, before a step runs.
   * @throws DataError naming the first invalid element
   */
  validateInput?(layer: Of, input: Tensor): void

  /** How the units of the input become those of the output. Default null: unknown. */
  unitFlow?(layer: Of): UnitFlow | null
  /** Units that only the layer itself uses. Default none. */
  innerUnits?(layer: Of): readonly InnerUnits[]

  /** Whether the layer creates a mask if its input has none. Default false. */
  makesMask?(layer: Of): boolean
  /** Whether the outputs keep the masks that inner layers set. Default false. */
  readonly keepsMasks?: boolean
  /** Whether Keras's layer receives the mask of its input as an argument, so that its graph has the mask as an operand. Default false. */
  readsMask?(layer: Of): boolean
  /**
   * The symbols from which the mask of a result is computed, each with the number of ops between them in Keras's graph; null without a
   * mask. They count for the depth of layers. Default: those of the first mask, if the layer supports masking.
   * @param masks the same for the masks of the inputs
   */
  maskTrail?(layer: Of, inputs: readonly Tensor[], masks: readonly (MaskTrail | null)[]): MaskTrail | null

  /** Inner layers that no property holds. Default none. */
  hiddenParts?(layer: Of): readonly Part[]
  /** The state of this layer alone, without sublayers, that passes from batch to batch and is not saved with the model. Default none. */
  passingState?(layer: Of): readonly Variable[]
  /** The graph that the layer replays, for models. Default null. */
  graph?(layer: Of): object | null
  /** Whether weights are named without this layer's name when it is the outermost one. Default false. */
  readonly isPathRoot?: boolean
  /** Whether the layer stands for an op that was called on symbols; such layers are not listed among those of a model. Default false. */
  readonly isOperation?: boolean

  /** The input as tensors. Default: data are converted, see `tensorsIn`. */
  toTensors?(layer: Of, input: unknown): Tree<unknown>
  /** Masks given in a call as a tree of the inputs' structure. Default: see `masksLike`. */
  masksFor?(layer: Of, input: Tree<unknown>, mask: Tree<Tensor | null>): Tree<Tensor | null>
  /** The input for which the layer is built or asked for its output, from what a caller knows of it. Default: the same. */
  inputSpecs?(layer: Of, specs: Tree<TensorSpec>): Tree<TensorSpec>
  /** Builds the layer. Default: `build`, see `buildByClass`. */
  buildTree?(layer: Of, specs: Tree<TensorSpec>): void
  /** Calls the layer. Default: `call`, see `callByClass`. */
  callTree?(layer: Of, input: Tree<unknown>, context: CallContext): unknown
  /** The specs of the output. Default: by `computeOutputSpec`, `computeOutputShape`, or traced; see `specsByClass`. */
  outputTree?(layer: Of, specs: Tree<TensorSpec>, options: ApplyOptions): Tree<TensorSpec>
  /** Records a call on symbols. Default: with the options of the call, see `applyTree`. */
  record?(layer: Of, input: Tree<unknown>): Tree<Tensor>
}

/** The traits of each class with those of its bases, and those that single layers have. */
const known = new WeakMap<object, LayerTraits>()

function ofClass(kind: unknown): LayerTraits {
  if (typeof kind !== 'function') return {}
  let traits = known.get(kind)
  if (traits === undefined) {
    const base: unknown = Object.getPrototypeOf(kind)
    const inherited = ofClass(base)
    const declared = declaredTraits(kind)
    // Layer is the first class with traits, and has an inputDtype for users.
    if (typeof base === 'function' && 'traits' in base) requireTraits(kind, declared)
    traits = { ...inherited, ...declared }
    known.set(kind, traits)
  }
  return traits
}

/** Traits that were members of layers before: a class that defines one as a member would be ignored without an error. */
const FORMER_MEMBERS = [
  'callOptions',
  'checkShape',
  'checkMask',
  'outputDtype',
  'validateInput',
  'unitFlow',
  'inputDtype',
] as const satisfies readonly (keyof LayerTraits)[]

/** @throws ArgumentError for a class that defines a trait only as a method or a getter; Discretization has both, as Keras's */
function requireTraits({ name, prototype }: Function, declared: LayerTraits): void {
  const member = FORMER_MEMBERS.find((trait) => Object.hasOwn(prototype, trait) && declared[trait] === undefined)
  if (member !== undefined)
    throw new ArgumentError(`${name}: the member ${member} has no effect. Declare static traits = { ${member}: … }`)
}

/** The traits that a class itself declares. */
function declaredTraits(kind: object): LayerTraits {
  const traits: unknown = Object.hasOwn(kind, 'traits') ? Reflect.get(kind, 'traits') : null
  return typeof traits === 'object' && traits !== null ? traits : {}
}

/** What a layer says of itself. */
export function traitsOf(layer: object): LayerTraits {
  return known.get(layer) ?? ofClass(layer.constructor)
}

/** Changes traits of one layer alone. */
export function changeTraits(layer: object, changed: LayerTraits): void {
  known.set(layer, { ...traitsOf(layer), ...changed })
  changedAlone.set(layer, changed)
}

/** The traits in which single layers differ from their class. */
const changedAlone = new WeakMap<object, LayerTraits>()

/** The names of the traits that a layer alone declares, or the class of a prototype. */
export function traitNamesAt(place: object): readonly string[] {
  const alone = changedAlone.get(place)
  if (alone !== undefined) return Object.keys(alone)
  const kind: unknown = Object.hasOwn(place, 'constructor') ? place.constructor : null
  return typeof kind === 'function' ? Object.keys(declaredTraits(kind)) : []
}

/** The dtype that data for a layer get if nothing else is given. */
export function inputDtypeOf(layer: object): DType {
  return traitsOf(layer).inputDtype?.(layer) ?? 'float32'
}

/** The graph that a layer replays; null for none. */
export function replayedBy(layer: object): object | null {
  return traitsOf(layer).graph?.(layer) ?? null
}

/** The trail of the mask of a layer's result: see `LayerTraits.maskTrail`. */
export function maskTrailOf(
  layer: { readonly supportsMasking: boolean },
  inputs: readonly Tensor[],
  masks: readonly (MaskTrail | null)[],
): MaskTrail | null {
  const { maskTrail } = traitsOf(layer)
  if (maskTrail !== undefined) return maskTrail(layer, inputs, masks)
  return layer.supportsMasking ? (masks[0] ?? null) : null
}
