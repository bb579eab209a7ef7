// The public names of `myelin/explain`, and nothing else.

export { gradientTimesInput, integratedGradients, saliency, smoothGrad } from '../explain/gradients'
export type { IntegratedGradientsOptions, SaliencyOptions, SmoothGradOptions } from '../explain/gradients'
export { occlusion } from '../explain/occlusion'
export type { OcclusionOptions } from '../explain/occlusion'
export { gradCam } from '../explain/grad-cam'
export type { GradCam, GradCamOptions } from '../explain/grad-cam'
export { kernelShap, sampledShapley, shapleyValues } from '../explain/shapley'
export type { KernelShapOptions, SampledDecomposition, SampledShapleyOptions, ShapleyOptions } from '../explain/shapley'
export { permutationImportance } from '../explain/importance'
export type { Importance, PermutationImportanceOptions, TargetsFor } from '../explain/importance'
export { partialDependence } from '../explain/dependence'
export type {
  Feature,
  FeatureFor,
  FeatureOfInput,
  PartialDependence,
  PartialDependenceOptions,
} from '../explain/dependence'
export { Temperature, temperatureScaling } from '../explain/temperature'
export type { CalibratedModel, TemperatureScaling } from '../explain/temperature'
export { expectedCalibrationError, reliabilityDiagram } from '../explain/reliability'
export type { ReliabilityBin, ReliabilityDiagram, ReliabilityOptions } from '../explain/reliability'
export { attributionBars } from '../plot/attribution-bars'
export type { AttributionBarsOptions } from '../plot/attribution-bars'
export { heatMapPicture } from '../plot/heat-map'
export type { HeatMapOptions } from '../plot/heat-map'
export { reliabilityPicture } from '../plot/reliability-picture'
export { dependenceCurves } from '../plot/dependence-curves'
export type { DependenceCurvesOptions } from '../plot/dependence-curves'
export type { PictureOptions } from '../plot/drawing/svg'
export type {
  AnswerOf,
  BaselineOf,
  ByColumn,
  Decomposition,
  ExplainOptions,
  Explanation,
  OutputOption,
  ReferenceOf,
  RowsOf,
  TableData,
} from '../explain/explained'
