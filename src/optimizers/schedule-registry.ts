// Learning-rate schedules by name.

import { Registry } from '../core/registry'
import {
  CosineDecay,
  CosineDecayRestarts,
  ExponentialDecay,
  InverseTimeDecay,
  LambdaSchedule,
  LearningRateSchedule,
  OneCycle,
  PiecewiseConstantDecay,
  PolynomialDecay,
} from './schedules'

const isSchedule = (value: unknown): value is LearningRateSchedule => value instanceof LearningRateSchedule

export const schedules = new Registry<LearningRateSchedule>('learning-rate schedule', isSchedule, () => ({
  ExponentialDecay,
  CosineDecay,
  CosineDecayRestarts,
  InverseTimeDecay,
  LambdaSchedule,
  OneCycle,
  PiecewiseConstantDecay,
  PolynomialDecay,
}))
