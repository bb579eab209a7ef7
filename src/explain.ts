// The public names of `myelin/explain`, and nothing else.

export { gradientTimesInput, integratedGradients, saliency, smoothGrad } from './explain/gradients'
export type { IntegratedGradientsOptions, SaliencyOptions, SmoothGradOptions } from './explain/gradients'
export { occlusion } from './explain/occlusion'
export type { OcclusionOptions } from './explain/occlusion'
export { gradCam } from './explain/grad-cam'
export type { GradCam, GradCamOptions } from './explain/grad-cam'
export { kernelShap, sampledShapley, shapleyValues } from './explain/shapley'
export type { KernelShapOptions, SampledDecomposition, SampledShapleyOptions, ShapleyOptions } from './explain/shapley'
export { partialDependence, permutationImportance } from './explain/importance'
export type { Feature, Importance, PartialDependence, PartialDependenceOptions, PermutationImportanceOptions } from './explain/importance'
export type { BaselineOf, Decomposition, ExplainOptions, Explanation, OutputOption } from './explain/explained'
