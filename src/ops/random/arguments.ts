// The parameters that random ops share.

import { choice, nullable } from '../../core/options'
import { optional } from '../op'
import { seedKind } from './generator'

/** The last parameters of ops with real results. */
export const ofFloats = () => [optional('dtype', nullable(choice('float32'))), optional('seed', seedKind)] as const

/** The last parameters of ops with integer results; null is int32, too. */
export const ofIntegers = () => [optional('dtype', nullable(choice('int32'))), optional('seed', seedKind)] as const
