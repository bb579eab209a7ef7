// The update rules available by name. Names, defaults and formulas are Keras's. An elementwise rule is one instruction
// over all weights that lie side by side.

import { Adam, AdamW, Adamax, Nadam, ScheduleFreeAdamW } from './adam'
import { Adadelta, Adagrad, Ftrl, RMSprop } from './adaptive'
import { Lion, SGD } from './descent'
import { Adafactor, Lamb, Muon } from './shaped'

/** The rules by the name under which each is saved. */
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
