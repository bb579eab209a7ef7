// The table of Keras's classes of ops compared with the classes of Keras 3.15, which tests/golden/keras_operations.py lists.
// modes: simd

import { describe, expect, it } from 'vitest'
import { operationClasses, classOfOp, operationClass, type Parameter } from '../../../src/files/keras/operation-table'
import { jsonOf } from './goldens'

type Named = readonly [name: string, initial?: unknown]

interface SavedClass {
  readonly options: readonly Named[]
  readonly call: readonly Named[]
  /** The parameters of the function; some classes have none. */
  readonly function?: readonly Named[]
}

const modules = jsonOf<Readonly<Record<string, Readonly<Record<string, SavedClass>>>>>('operations.json')
const classes = Object.entries(modules).flatMap(([module, found]) =>
  Object.entries(found).map(([className, saved]) => ({ module, className, saved })),
)

/** Classes that files cannot have, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  AssociativeScan: 'its argument is a function of Python',
  Cond: 'its arguments are functions of Python',
  ForiLoop: 'its argument is a function of Python',
  Map: 'its argument is a function of Python',
  Scan: 'its argument is a function of Python',
  Switch: 'its arguments are functions of Python',
  VectorizedMap: 'its argument is a function of Python',
  WhileLoop: 'its arguments are functions of Python',
  JVP: 'its argument is a function of Python',
  Function: 'is a graph, which models have',
  SegmentReduction: 'is the base of classes',
  FakeQuantWithMinMaxVars: 'is a part of quantized layers',
}

/** Parameters that are not those of Keras, and why. */
const OTHER: Readonly<Record<string, string>> = {
  'LayerNorm rms_scaling': 'Keras deprecates it',
  'MultiHot kwargs': 'holds options of former versions',
  'Einsum kwargs': 'holds options of former versions',
}
/** Parameters that Keras's function does not need, but the op here does. */
const REQUIRED: readonly string[] = ['MultiHot num_classes']

const nameOf = ([name]: Named): string => name.replaceAll('*', '')
const isKept = (className: string) => (each: Named) => OTHER[`${className} ${nameOf(each)}`] === undefined

describe('classes of ops', () => {
  it('are all in the table, or cannot be in files', () => {
    const missing = classes.filter(({ className }) => operationClass(className) === undefined)
    expect(missing.map(({ className }) => className).sort()).toEqual(Object.keys(LEFT_OUT).sort())
    const names = operationClasses().map(({ className }) => className)
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => !classes.some(({ className }) => className === name))).toEqual([])
  })

  it.each(classes.filter(({ className }) => LEFT_OUT[className] === undefined))(
    '$className',
    ({ module, className, saved }) => {
      const found = operationClass(className)!
      expect(found.module).toBe(module)
      expect(classOfOp(found.op)?.className.replace('Absolute', 'Abs')).toBe(className.replace('Absolute', 'Abs'))
      const { options, call } = saved
      const ofCall = found.parameters.filter(({ isOption }) => !isOption)
      const names = (all: readonly Parameter[]): string[] => all.map(({ name }) => name)
      // The call has its arguments in this order, the configuration its options in any.
      expect(names(ofCall)).toEqual(call.filter(isKept(className)).map(nameOf))
      expect(names(found.parameters.filter(({ isOption }) => isOption)).sort()).toEqual(
        options.filter(isKept(className)).map(nameOf).sort(),
      )
      for (const { name, isOptional, initial, rest } of ofCall) {
        const [, ...defaults] = call.find((each) => nameOf(each) === name)!
        if (rest === null && isOptional && defaults.length > 0) expect([initial], name).toEqual(defaults)
      }
      // The order is that of the function, which the op here has, too. The function of relu is in another module.
      if (saved.function === undefined || className === 'ReLU') return
      const inFunction = saved.function.filter(isKept(className)).filter(([name]) => name !== '**kwargs')
      expect(names(found.parameters)).toEqual(inFunction.map(nameOf))
      for (const { name, isOptional, rest } of found.parameters) {
        const each = inFunction.find((other) => nameOf(other) === name)!
        if (rest === null && !REQUIRED.includes(`${className} ${name}`))
          expect(isOptional, `${name} can be left out`).toBe(each.length === 2)
      }
    },
  )

  it('have the defaults of the functions, which are those of the ops here', () => {
    const others = classes.flatMap(({ className, saved: { options, call, function: parameters = [] } }) =>
      [...options, ...call].flatMap((each) => {
        const own = parameters.find((other) => nameOf(other) === nameOf(each))
        const isSame = own === undefined || own.length < 2 || JSON.stringify(own[1]) === JSON.stringify(each[1])
        return isSame ? [] : [`${className} ${nameOf(each)}`]
      }),
    )
    expect(others).toEqual([])
  })
})
