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

/** Every unit is made from all units of the input. */
export interface Made {
  readonly kind: 'makes'
  readonly units: MadeUnits
  /** Where the weights of the input's units lie. */
  readonly from: readonly UnitAxis[]
  /** Where weights lie that a unit of the input has of its own before that: of a depthwise kernel. Default none. */
  readonly along?: readonly UnitAxis[]
}

export type UnitFlow =
  | Made
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

/** The members by which a class declares what it does with units. */
const DECLARING = { unitFlow: ['unitFlow', 'flowOfLast'], innerUnits: ['innerUnits'] } as const

/** What a subclass may define anew without computing otherwise: declarations, checks, shapes, masks and configurations. */
const DESCRIBING: ReadonlySet<string> = new Set([
  'constructor',
  'toString',
  'getConfig',
  ...Object.values(DECLARING).flat(),
  'supportsMasking',
  'callOptions',
  'checkOptions',
  'checkShape',
  'checkMask',
  'validateInput',
  'inputDtype',
  'outputDtype',
  'computeMask',
  'computeOutputShape',
  'computeOutputSpec',
])

/** The `call`, or another member by which `base` computes, that an object or a class between it and `base` defines anew; null for none. */
function departure(layer: object, base: object): string | null {
  for (let each = layer; each !== base;) {
    const above = Object.getPrototypeOf(each) as object
    const own = Object.getOwnPropertyNames(each)
    const found = own.find((name) => name === 'call' || (name in above && !DESCRIBING.has(name)))
    if (found !== undefined) return found
    each = above
  }
  return null
}

/** The member by which a class computes otherwise than the one from which it inherits what is declared of units; null for none. */
function outgrowth(layer: object, declared: keyof typeof DECLARING): string | null {
  let declaration = layer
  while (!DECLARING[declared].some((name) => Object.hasOwn(declaration, name)))
    declaration = Object.getPrototypeOf(declaration) as object
  // What the base of all layers declares, that nothing is known, always holds.
  return declared in (Object.getPrototypeOf(declaration) as object) ? departure(layer, declaration) : null
}

/** A layer, as far as it declares its units. */
export interface Declaring {
  readonly unitFlow: UnitFlow | null
  readonly innerUnits: readonly InnerUnits[]
}

/** What becomes of units in a layer; null where nobody knows, as behind a `call` of the user's own that does not declare it. */
export function unitFlowOf(layer: Declaring): UnitFlow | null {
  return outgrowth(layer, 'unitFlow') === null ? layer.unitFlow : null
}

/** The units that only a layer itself knows, as long as it computes what the class computes that declares them. */
export function innerUnitsOf(layer: Declaring): readonly InnerUnits[] {
  return outgrowth(layer, 'innerUnits') === null ? layer.innerUnits : []
}

/** Why what a layer inherits as a declaration of its units is not believed; null where it is, or nothing is declared. */
export function whyUnknown(layer: Declaring): string | null {
  const own = outgrowth(layer, 'unitFlow') ?? outgrowth(layer, 'innerUnits')
  return own === null
    ? null
    : `${String(layer)} has a ${own} of its own, and its class does not say what that does with units`
}

/** Whether a layer computes what a class of the library does: it is of this class, or of one that overrides nothing by which it computes. */
export function computesAs<Kind extends object>(
  layer: object,
  { prototype }: { readonly prototype: Kind },
): layer is Kind {
  return Object.prototype.isPrototypeOf.call(prototype, layer) && departure(layer, prototype) === null
}

/**
 * Whether a weight is a kernel, which multiplies what comes in. Told by its name, since a bias may have two axes, as that of GRU has,
 * and a slope of PReLU as many as its input.
 */
export function isKernel({ name, shape }: Variable): boolean {
  return shape.length >= 2 && !/(?:bias|alpha|gamma|beta)$/i.test(name)
}
