// The update rules that can be named by a string. Names, defaults and formulas are Keras's. Where a rule works on single
// elements, it is one instruction over all weights that lie side by side.

import { Adam, AdamW, Adamax, Nadam, ScheduleFreeAdamW } from './adam'
import { Adadelta, Adagrad, Ftrl, RMSprop } from './adaptive'
import { Lion, SGD } from './descent'
import { Adafactor, Lamb, Muon } from './shaped'

/** The rules by the name that each is saved under. */
export const rules = () => ({
  SGD,
  RMSprop,
  Adam,
  AdamW,
  Adadelta,
  Adafactor,
  Adagrad,
  Adamax,
  Ftrl,
  Lamb,
  Lion,
  Muon,
  Nadam,
  ScheduleFreeAdamW,
})
