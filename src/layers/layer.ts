// Layer: weights and a function from tensor to tensor, in Keras's life cycle: construct → build → call. A layer
// never writes a gradient: `call` composes ops, and the traced result is differentiated.

import { ArgumentError, ShapeError, StateError, formatShape } from '../core/errors'
import type { InitializerIdentifier } from '../initializers'
import { initializers } from '../initializers/registry'
import type { DType } from '../core/dtypes'
import type { Shape } from '../core/shapes'
import { sameShape } from '../core/shapes'
import type { TensorLike } from '../ops/convert'
import { asTensor } from '../ops/convert'

import { SeedGenerator } from '../ops/random'
import { Tensor } from '../ops/tensor'
import { trace, untraced, withScope } from '../ops/trace'
import { Variable } from '../ops/variable'
import type { Config } from '../core/registry'
import { classNameOf, uniqueName } from '../core/registry'
import type { Regularizer } from '../regularizers'

/** A shape whose open extents are null: [null, 8] is any number of rows of 8. */
export type BatchShape = readonly (number | null)[]

/** What a call knows besides its input. */
export class CallContext {
  private readonly penalties: Tensor[] = []
  constructor(
    /** Whether dropout and its like are active. */
    readonly training: boolean,
  ) {}

  /** Adds a scalar to the loss of this step. */
  addLoss(penalty: Tensor): void {
    this.penalties.push(penalty)
  }

  /** Everything that layers added. */
  get losses(): readonly Tensor[] {
    return this.penalties
  }
}

export interface LayerOptions {
  name?: string
  /** Whether optimizers may change the weights. Default true. */
  trainable?: boolean
  /** The shape of one sample, for the first layer of a model. */
  inputShape?: Shape
  /** Short for inputShape: [inputDim]. */
  inputDim?: number
}

/** The names of LayerOptions. */
export const LAYER_OPTIONS: readonly (keyof LayerOptions)[] = ['name', 'trainable', 'inputShape', 'inputDim']

export interface WeightOptions {
  name: string
  shape: Shape
  initializer?: InitializerIdentifier
  regularizer?: Regularizer | null
  trainable?: boolean
  dtype?: DType
}

interface Parts {
  readonly sublayers: readonly Layer[]
  /** Those that are not of a sublayer. */
  readonly variables: readonly Variable[]
  readonly generators: readonly SeedGenerator[]
}

/** Subclass it, make weights in `build` with `addWeight`, and write `call` with ops. */
export abstract class Layer {
  readonly name: string
  /** The shape of one sample, when the layer was told. */
  readonly inputShape: Shape | null
  trainable: boolean
  private builtFor: BatchShape | null = null
  private knownParts: Parts | null = null
  private readonly ownWeights: { readonly variable: Variable; readonly regularizer: Regularizer | null }[] = []

  constructor({ name, trainable = true, inputShape, inputDim }: LayerOptions = {}) {
    this.name = name ?? uniqueName(classNameOf(this))
    this.trainable = trainable
    this.inputShape = inputShape ?? (inputDim === undefined ? null : [inputDim])
    if (this.inputShape !== null && !Array.isArray(this.inputShape)) {
      throw new ArgumentError(`${this}: inputShape must be an array such as [8], received ${String(inputShape)}`)
    }
    if (this.inputShape?.some((extent) => !Number.isInteger(extent) || extent < 1)) {
      throw new ArgumentError(`${this}: inputShape must hold integers ≥ 1, received ${formatShape(this.inputShape)}`)
    }
  }

  /** The function of the layer. */
  abstract call(x: Tensor, context: CallContext): Tensor

  /** Makes the weights for inputs of this shape. Called once, before the first call. */
  build(_inputShape: BatchShape): void {}

  /** The shape of the output for inputs of this shape; found out by tracing `call` unless a layer says it. */
  computeOutputShape([batch = null, ...rest]: BatchShape): BatchShape {
    const sample = rest.map((extent) => extent ?? 1)
    const probe = { shape: [1, ...sample], dtype: 'float32' as const }
    const { graph } = untraced(() => trace([probe], ([x]) => [this.apply(x!)]))
    return [batch, ...graph.outputs[0]!.shape.slice(1)]
  }

  /** The input shape that the weights were made for; null before. */
  get buildShape(): BatchShape | null {
    return this.builtFor
  }

  get built(): boolean {
    return this.builtFor !== null
  }

  /** Builds for an input shape, once. Errors leave no weights behind. */
  ensureBuilt(inputShape: BatchShape): void {
    if (this.builtFor !== null) return
    const before = new Set(this.sublayers.filter((layer) => layer.built))
    try {
      // The first call may be inside a trace; weights are made outside of it.
      untraced(() => {
        this.build(inputShape)
        this.buildWithin(inputShape)
      })
    } catch (error) {
      for (const layer of [this, ...this.sublayers]) if (!before.has(layer)) layer.unbuild()
      throw error
    }
    this.builtFor = inputShape
  }

  // Layers within this one make their weights when they are called: calls this one on a symbol, once.
  private buildWithin(inputShape: BatchShape): void {
    if (this.sublayers.every((layer) => layer.built)) return
    const type = { dtype: 'float32' as const, shape: inputShape.map((extent) => extent ?? 1) }
    trace([type], ([input]) => [this.call(input!, new CallContext(false))])
  }

  private unbuild(): void {
    this.knownParts = null
    this.ownWeights.length = 0
    this.builtFor = null
  }

  /** Calls the layer: builds it if necessary and names what it traces. */
  apply(x: TensorLike, context: CallContext = new CallContext(false)): Tensor {
    if (typeof this.call !== 'function') throw new ArgumentError(`${this}: a layer needs a method call(x, context)`)
    const input = asTensor(x, String(this))
    this.ensureBuilt([null, ...input.shape.slice(1)])
    return withScope(this.name, () => {
      const result = this.call(input, context)
      if (result instanceof Tensor) return result
      throw new ArgumentError(`${this}: call must return a Tensor, received ${typeof result}`)
    })
  }

  /** A trainable (by default) variable that belongs to the layer. */
  protected addWeight({ name, shape, initializer = 'glorotUniform', regularizer = null, dtype = 'float32', trainable = dtype === 'float32' }: WeightOptions): Variable {
    const initial = initializers.get(initializer).call(shape)
    if (!sameShape(initial.shape, shape)) {
      throw new ShapeError(`${this}: the initializer of ${name} must make shape ${formatShape(shape)}, received ${formatShape(initial.shape)}`)
    }
    const variable = new Variable(initial, { name: `${this.name}/${name}`, trainable, dtype })
    this.ownWeights.push({ variable, regularizer })
    return variable
  }

  /** What the layer's properties hold. Looked for until the layer is built, then known. */
  private get parts(): Parts {
    if (this.knownParts !== null) return this.knownParts
    const properties = propertiesOf(this).flatMap((property) => (Array.isArray(property) ? property : [property]))
    const sublayers = [...new Set(properties.filter((value) => value instanceof Layer))]
    const below = new Set(sublayers.flatMap((layer) => layer.weights))
    const made = this.ownWeights.map(({ variable }) => variable)
    const kept = properties.filter((value) => value instanceof Variable)
    const parts = {
      sublayers,
      variables: [...new Set([...made, ...kept])].filter((variable) => !below.has(variable)),
      generators: properties.filter((value) => value instanceof SeedGenerator),
    }
    if (this.built) this.knownParts = parts
    return parts
  }

  /** For layers whose sublayers change after they are built. */
  protected forgetParts(): void {
    this.knownParts = null
  }

  /** The layers that this one keeps in its properties, alone or in arrays. Their weights are its own. */
  get sublayers(): readonly Layer[] {
    return this.parts.sublayers
  }

  /** All variables that are learnt or saved as weights: the layer's own in the order they were made, then its sublayers'. */
  get weights(): readonly Variable[] {
    const { variables, sublayers } = this.parts
    // A layer that is used in two places is there once.
    return [...new Set([...variables, ...sublayers.flatMap((layer) => layer.weights)])]
  }

  get trainableWeights(): readonly Variable[] {
    if (!this.trainable) return []
    const { variables, sublayers } = this.parts
    const own = variables.filter((variable) => variable.trainable)
    return sublayers.length === 0 ? own : [...new Set([...own, ...sublayers.flatMap((layer) => layer.trainableWeights)])]
  }

  get nonTrainableWeights(): readonly Variable[] {
    const trainable = new Set(this.trainableWeights)
    return this.weights.filter((weight) => !trainable.has(weight))
  }

  /** State that is saved with the model but is not a weight, such as the position of a random stream. */
  get stateVariables(): readonly Variable[] {
    const { generators, sublayers } = this.parts
    return [...generators.map((generator) => generator.state), ...sublayers.flatMap((layer) => layer.stateVariables)]
  }

  /** The penalties of regularized trainable weights; traced. */
  regularizationLosses(): Tensor[] {
    if (!this.trainable) return []
    const own = this.ownWeights.flatMap(({ variable, regularizer }) =>
      regularizer === null || !variable.trainable ? [] : [withScope(this.name, () => regularizer.call(variable.value))],
    )
    return [...own, ...this.sublayers.flatMap((layer) => layer.regularizationLosses())]
  }

  /** The number of elements of all weights. */
  countParams(): number {
    return this.weights.reduce((total, weight) => total + weight.size, 0)
  }

  /** Copies of all weights. */
  getWeights(): Tensor[] {
    return this.weights.map((weight) => weight.value)
  }

  /** What the constructor takes to make an equal layer. */
  getConfig(): Config {
    const config: Record<string, Config[string]> = { name: this.name }
    if (!this.trainable) config['trainable'] = false
    if (this.inputShape !== null) config['inputShape'] = this.inputShape
    return config
  }

  /** `Dense "fc1"`, as errors name it. */
  toString(): string {
    return `${classNameOf(this)} "${this.name}"`
  }

  /** @throws StateError before the layer is built. */
  protected requireBuilt<T>(value: T | null): T {
    if (value !== null) return value
    throw new StateError(`${this} has no weights yet. They are made at the first call, or when inputShape is given.`)
  }
}

function propertiesOf(object: object): unknown[] {
  return Object.values(object)
}
