// The callbacks that come with the library. Names and defaults are Keras's.

export { BackupAndRestore } from './backup-and-restore'
export type { BackupAndRestoreOptions } from './backup-and-restore'
export { Callback } from './callback'
export type {
  CallbackHooks,
  CallbackMethods,
  CallbackState,
  Callbacks,
  FitParams,
  Logs,
  NextStep,
  NextTest,
  RunPosition,
  Reports,
  TrainedModel,
} from './callback'
export { CSVLogger } from './csv-logger'
export type { CSVLoggerOptions } from './csv-logger'
export { EarlyStopping } from './early-stopping'
export type { EarlyStoppingOptions } from './early-stopping'
export { History } from './history'
export { LambdaCallback } from './lambda'
export { LearningRateScheduler, ReduceLROnPlateau } from './learning-rate'
export type { LearningRateSchedulerOptions, ReduceLROnPlateauOptions } from './learning-rate'
export { ModelCheckpoint } from './model-checkpoint'
export type { ModelCheckpointOptions } from './model-checkpoint'
export { RemoteMonitor } from './remote-monitor'
export type { RemoteMonitorOptions } from './remote-monitor'
export { StopOnInterrupt } from './stop-on-interrupt'
export { SwapEMAWeights } from './swap-ema-weights'
export type { SwapEMAWeightsOptions } from './swap-ema-weights'
export { TensorBoard } from './tensor-board'
export type { TensorBoardOptions } from './tensor-board'
export { TerminateOnNaN } from './terminate-on-nan'
export { BrowserStore } from '../../engine/runtime/store'
export type { ByteStore } from '../../engine/runtime/store'
