// Learning-rate schedules by the names under which they are saved.

import { Registry } from '../core/registry'
import * as all from './schedules'

export const schedules = /* @__PURE__ */ new Registry('learning-rate schedule', all.LearningRateSchedule, () => all)
