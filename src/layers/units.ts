// What a layer declares of its units, the channels along the last axis of what it gives: along which axes of which weights
// they lie, and what becomes of the units that come in. One walk over a model's graph (models/unit-groups.ts) makes of it
// which weights belong to a unit; who counts, resets, scales or removes units needs nothing else.

import type { Activation } from '../activations'
import type { Variable } from '../ops/variable'

/**
 * How n units lie along an axis: unit j at j · width … (j + 1) · width − 1, and so again in every block, n · width further on.
 */
export interface UnitSpan {
  /** Default 1; more in the gates of a recurrent kernel. */
  readonly blocks?: number
  /** How many elements each has side by side, as a key of attention has heads of the query. Default 1. */
  readonly width?: number
}

/** Units along an axis of a weight. */
export interface UnitAxis extends UnitSpan {
  readonly weight: Variable
  readonly axis: number
}

/** Units that a layer makes. */
export interface MadeUnits {
  readonly count: number
  /** The options by which the layer makes another number of them. */
  optionsFor(count: number): Readonly<Record<string, unknown>>
  /** Where the weights of a unit's inputs lie, its bias among them. */
  readonly incoming: readonly UnitAxis[]
  /** Where weights by which the layer itself uses its units lie: of a recurrent kernel. Default none. */
  readonly outgoing?: readonly UnitAxis[]
  /** How often they stand side by side in what the layer gives: twice behind both ways of a Bidirectional. Default 1. */
  readonly blocks?: number
  /** What is applied to each last. Default: nothing, or nothing of which a limit is known. */
  readonly activation?: Activation
  /** Whether each depends on all others of them, as behind softmax: then none can go alone. Default false. */
  readonly mixed?: boolean
}

/** Units that a layer makes and uses itself, so that nobody else sees them: the heads of an attention. */
export interface InnerUnits extends MadeUnits {
  /** The layer within by which they are used, and the axis of its input along which they lie, from the end: -2. */
  readonly user: UnitSpan & { readonly layer: object; readonly axis: number }
}

export type UnitFlow =
  /** Every unit is made from all units of the input, whose weights lie along the axes `from`. */
  | { readonly kind: 'makes'; readonly units: MadeUnits; readonly from: readonly UnitAxis[] }
  /** Every unit of the input becomes one, by itself; `along` says where weights lie that a unit has of its own. */
  | { readonly kind: 'keeps'; readonly along: readonly UnitAxis[] }
  /** [batch, …places, units] → [batch, places · units]. The places begin at the axis `from`, by default 1. */
  | { readonly kind: 'flattens'; readonly from?: number }
  /** The inputs, of one shape, element by element; `scales`: whether a factor on all of them is one on the result. */
  | { readonly kind: 'joins'; readonly scales: boolean }
  /** The inputs side by side along the last axis. */
  | { readonly kind: 'concatenates' }

/** A flow that keeps every unit and has no weights. */
export const KEEPS: UnitFlow = { kind: 'keeps', along: [] }

/** Those of some weights that there are, along an axis. */
export function unitAxes(axis: number, ...weights: readonly (Variable | null)[]): UnitAxis[] {
  return weights.flatMap((weight) =>
    weight === null ? [] : [{ weight, axis: axis < 0 ? axis + weight.shape.length : axis }],
  )
}

/** The methods by which classes of layers say what they compute. */
const COMPUTING = ['call', 'callLast', 'merge'] as const
/** Those by which they say what that does with units. */
const DECLARING = { unitFlow: ['unitFlow', 'flowOfLast'], innerUnits: ['innerUnits'] } as const

/** The places in the line of an object's prototypes, the object itself first, in which one of some names is defined. */
function definitionsOf(object: object, names: readonly string[]): number[] {
  const places: number[] = []
  for (
    let [each, place]: [object | null, number] = [object, 0];
    each !== null;
    each = Object.getPrototypeOf(each) as object | null, place++
  ) {
    if (names.some((name) => Object.hasOwn(each!, name))) places.push(place)
  }
  return places
}

/** Whether a class computes otherwise than the one from which it inherits what is declared of units, so that this may not hold. */
function outgrows(layer: object, declared: keyof typeof DECLARING): boolean {
  const [declaration = Infinity] = definitionsOf(layer, DECLARING[declared])
  return COMPUTING.some((method) => {
    const [own = Infinity, inherited] = definitionsOf(layer, [method])
    // The first definition of a method fills in what its base left open.
    return own < declaration && inherited !== undefined
  })
}

/** A layer, as far as it declares its units. */
export interface Declaring {
  readonly unitFlow: UnitFlow | null
  readonly innerUnits: readonly InnerUnits[]
}

/** What becomes of units in a layer; null where nobody knows, as behind a `call` of the user's own that says nothing of it. */
export function unitFlowOf(layer: Declaring): UnitFlow | null {
  return outgrows(layer, 'unitFlow') ? null : layer.unitFlow
}

/** The units that only a layer itself knows, as long as its `call` is the one for which they are declared. */
export function innerUnitsOf(layer: Declaring): readonly InnerUnits[] {
  return outgrows(layer, 'innerUnits') ? [] : layer.innerUnits
}

/** Why what is declared of the units of a layer is not believed; null where it is, or nothing is declared. */
export function whyUnknown(layer: Declaring): string | null {
  const isDoubtful =
    (outgrows(layer, 'unitFlow') && layer.unitFlow !== null) ||
    (outgrows(layer, 'innerUnits') && layer.innerUnits.length > 0)
  return isDoubtful
    ? `${String(layer)} has a call of its own, and its class does not say what that does with units`
    : null
}

/** Whether a layer computes what a class of the library does: it is of this class, or of one that leaves its methods as they are. */
export function computesAs<Kind extends object>(
  layer: object,
  { prototype }: { readonly prototype: Kind },
): layer is Kind {
  return (
    Object.prototype.isPrototypeOf.call(prototype, layer) &&
    COMPUTING.every((method) => Reflect.get(layer, method) === Reflect.get(prototype, method))
  )
}

/**
 * Whether a weight is a kernel, which multiplies what comes in. Told by its name, since a bias may have two axes, as that of GRU has,
 * and a slope of PReLU as many as its input.
 */
export function isKernel({ name, shape }: Variable): boolean {
  return shape.length >= 2 && !/(?:bias|alpha|gamma|beta)$/i.test(name)
}
