// The user's classes and functions, registered by name for the whole program.

import { requireArguments } from '../../core/arguments'
import { ArgumentError, quoted } from '../../core/errors'
import { customObject, isClass, nameOfClass, registeredObjects, type CustomObjects } from '../../core/registry'
import { libraryClass } from './kinds'

/** A class, or a function. */
type Named = Function

/**
 * All registered objects by name, which every lookup reads after those of a `customObjectScope`. Changes of the record take effect.
 *
 * Keras: `keras.saving.get_custom_objects`.
 */
export function getCustomObjects(): Record<string, unknown> {
  requireArguments('getCustomObjects', arguments, 0)
  return registeredObjects
}

/** Registers an object under a name, under which nothing else may be registered. */
function register(name: string, of: Named): void {
  const known = Object.hasOwn(registeredObjects, name) ? registeredObjects[name] : of
  if (known !== of)
    throw new ArgumentError(`registerKerasSerializable: '${name}' is registered already, for ${quoted(known)}`)
  registeredObjects[name] = of
}

/**
 * Registers a class or a function for the whole program, so that files that contain it load without customObjects.
 *
 *   class Gate extends Layer { … }
 *   registerKerasSerializable('my_package')(Gate)
 *
 * It is registered as `package>name`, and under the name by which files refer to it: the `static className` of a class, or
 * the name of a function.
 *
 * Keras: `keras.saving.register_keras_serializable`.
 * @param packageName default 'Custom'
 * @param name default: the name of the class or function
 * @returns a function that registers its argument and returns it; also a decorator
 * @throws ArgumentError for a name that another object has, and for a class without getConfig
 */
export function registerKerasSerializable(
  packageName?: string,
  name?: string | null,
): <Object extends Named>(of: Object, context?: unknown) => Object {
  requireArguments('registerKerasSerializable', arguments, 2)
  for (const each of [packageName ?? 'Custom', name ?? 'name'])
    if (typeof each !== 'string' || each === '')
      throw new ArgumentError(
        `registerKerasSerializable: expected the names of a package and of the object, received ${quoted(each)}`,
      )
  return (of) => {
    if (typeof of !== 'function')
      throw new ArgumentError(`registerKerasSerializable: expected a class or a function, received ${quoted(of)}`)
    if (isClass(of) && !('getConfig' in of.prototype))
      throw new ArgumentError(`registerKerasSerializable: the class ${of.name} needs a method getConfig`)
    const className = nameOfClass(of)
    if (className === '') throw new ArgumentError('registerKerasSerializable: the function needs a name')
    if (libraryClass(className) !== undefined)
      throw new ArgumentError(
        `registerKerasSerializable: this library has a class ${className}. Give yours another name: static className = 'My${className}'`,
      )
    register(className, of)
    register(`${packageName ?? 'Custom'}>${name ?? className}`, of)
    return of
  }
}

/**
 * The name under which a class or function is registered, `package>name`; the name of the class or function if it is not registered.
 *
 * Keras: `keras.saving.get_registered_name`.
 */
export function getRegisteredName(of: Named): string {
  requireArguments('getRegisteredName', arguments, 1)
  if (typeof of !== 'function')
    throw new ArgumentError(`getRegisteredName: expected a class or a function, received ${quoted(of)}`)
  const found = Object.entries(registeredObjects).find(([name, each]) => each === of && name.includes('>'))
  return found?.[0] ?? nameOfClass(of)
}

/**
 * The class or function of a name: of the `customObjectScope` and the registered ones, of `customObjects`, of `moduleObjects`; null if
 * there is none.
 *
 * Keras: `keras.saving.get_registered_object`.
 */
export function getRegisteredObject(
  name: string,
  customObjects?: CustomObjects,
  moduleObjects?: CustomObjects,
): unknown {
  requireArguments('getRegisteredObject', arguments, 3)
  const custom = customObject(name)
  if (custom !== undefined) return custom
  for (const objects of [customObjects ?? {}, moduleObjects ?? {}])
    if (Object.hasOwn(objects, name)) return objects[name]
  return null
}
