// Options of inputs: their constant values.

import { recordOf, unchecked } from '../../core/options'
import type { ConstantLike } from '../../models/load-options'

/** Values of inputs by their names. The graph checks them, because it has the types of its inputs. */
export const constants = recordOf(unchecked<ConstantLike>((value) => value))
