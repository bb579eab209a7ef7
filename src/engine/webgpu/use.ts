// useWebGPU: finds an adapter and a device, tests it, and lets fit, evaluate and predict use it.

import { requireArguments } from '../../core/arguments'
import { ArgumentError, checkOptions, quoted } from '../../core/errors'
import { setAccelerator, type ProgramReport } from '../runtime/accelerator'
import { currentRuntime } from '../runtime/current'
import { TapeBackend } from '../runtime/tape-backend'
import type { When } from './choices'
import { Gpu } from './device'
import { WebGpu } from './webgpu'

/** The options of `useWebGPU`. */
export interface WebGPUOptions {
  /**
   * `'auto'`: each program runs where it is faster, as measured before its first run. `'always'`: each program that the GPU can run
   * runs there, also on a software adapter. Default 'auto'.
   */
  readonly when?: When
  /** The entry to WebGPU. In Node: `create([])` of the package `webgpu`. Default `navigator.gpu`. */
  readonly gpu?: GPU
  /** An adapter that you have requested. Default: that of `gpu`. */
  readonly adapter?: GPUAdapter
  /** A device that you have requested and share with other code; it is not replaced if it is lost. Default: a new one of the adapter. */
  readonly device?: GPUDevice
  /** Which of two GPUs a laptop uses. Default: the browser decides. */
  readonly powerPreference?: 'low-power' | 'high-performance'
}

const OPTIONS = [
  'when',
  'gpu',
  'adapter',
  'device',
  'powerPreference',
] as const satisfies readonly (keyof WebGPUOptions)[]

/** What `useWebGPU` found. */
export interface WebGPUUse {
  /** Whether programs may run on the GPU. */
  readonly isAvailable: boolean
  /** The GPU and how it is used; or why there is none. */
  readonly note: string
  /** The programs so far, with the place where they run, the reason, and the times that decided. Also in `runtimeInfo().gpu`. */
  readonly programs: readonly ProgramReport[]
  /**
   * Copies the weights that a run has changed on the GPU back, so that a callback can read or change them. Without it, they are read
   * at the end of an epoch.
   */
  sync(): Promise<void>
  /** Runs that begin from now on use the CPU. Do not call it during a run. */
  stop(): void
}

/** Adapters and devices that must not be collected, because Dawn in Node ends the process then. */
const kept = new Set<unknown>()

/**
 * Lets `fit`, `evaluate` and `predict` run on the GPU through WebGPU. What is synchronous, such as ops, `trainOnBatch` and
 * `predictOnBatch`, stays on the CPU. Without WebGPU, or with a software adapter, everything stays on the CPU, and `note` says why.
 *
 * A call of the same functions gives the same results up to rounding: products add in another order.
 *
 *   import { useWebGPU } from 'myelin/webgpu'
 *   const gpu = await useWebGPU()
 *   console.log(gpu.note)                    // 'Apple M2, metal-3: used where it is faster'
 *   await model.fit(x, y)
 *
 * @throws ArgumentError for an unknown option
 */
export async function useWebGPU(options: WebGPUOptions = {}): Promise<WebGPUUse> {
  requireArguments('useWebGPU', arguments, 1)
  checkOptions('useWebGPU', options, OPTIONS)
  const { when = 'auto', device } = options
  if (when !== 'auto' && when !== 'always')
    throw new ArgumentError(`useWebGPU: when must be 'auto' or 'always', received ${quoted(when)}`)
  if (!(currentRuntime().backend instanceof TapeBackend))
    return without('WebGPU needs the wasm backend, not the interpreter')
  if (device !== undefined) return using(new WebGpu(new Gpu(device), when, 'the device that was passed', null))
  const adapter = await adapterOf(options)
  if (typeof adapter === 'string') return without(adapter)
  if (when === 'auto' && isSoftware(adapter))
    return without(`${nameOf(adapter)} is a software adapter, which is slower than wasm`)
  const language = gpuOf(options)?.wgslLanguageFeatures
  const renew = async (): Promise<Gpu> => makeGpu((await freshAdapter(options)) ?? adapter, language)
  return using(new WebGpu(await makeGpu(adapter, language), when, nameOf(adapter), renew))
}

/** An adapter, or why there is none. */
async function adapterOf(options: WebGPUOptions): Promise<GPUAdapter | string> {
  if (options.adapter !== undefined) return options.adapter
  const gpu = gpuOf(options)
  if (gpu === undefined) return 'this runtime has no WebGPU. In Node, pass { gpu: create([]) } of the package webgpu'
  kept.add(gpu)
  return (await freshAdapter(options)) ?? 'WebGPU found no adapter'
}

/** A device can be requested from an adapter only once, so a new device needs a new adapter. */
async function freshAdapter({ powerPreference, adapter, ...options }: WebGPUOptions): Promise<GPUAdapter | null> {
  const gpu = adapter === undefined ? gpuOf(options) : undefined
  return (await gpu?.requestAdapter(powerPreference === undefined ? {} : { powerPreference })) ?? null
}

function gpuOf({ gpu }: WebGPUOptions): GPU | undefined {
  return gpu ?? (typeof navigator === 'undefined' ? undefined : navigator.gpu)
}

async function makeGpu(adapter: GPUAdapter, language: WGSLLanguageFeatures | undefined): Promise<Gpu> {
  const gpu = await Gpu.request(adapter, language)
  kept.add(gpu.device)
  void gpu.device.lost.then(() => kept.delete(gpu.device))
  return gpu
}

function isSoftware({ info }: GPUAdapter): boolean {
  return (
    info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|software/i.test(`${info.description} ${info.architecture}`)
  )
}

function nameOf({ info }: GPUAdapter): string {
  const { description, vendor, architecture } = info
  return [description || vendor || 'a GPU', architecture].filter((each) => each !== '').join(', ')
}

function without(note: string): WebGPUUse {
  return { isAvailable: false, note, programs: [], sync: () => Promise.resolve(), stop: () => undefined }
}

function using(web: WebGpu): WebGPUUse {
  setAccelerator(web)
  return {
    isAvailable: true,
    get note() {
      return web.report.note
    },
    get programs() {
      return web.report.programs
    },
    sync: () => web.sync(),
    stop: () => setAccelerator(null),
  }
}
