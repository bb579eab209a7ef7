// Where the programs of this library run: on a device of navigator.gpu that a row has to itself, so that its memory is free afterwards.
import { buildRow } from './rows.mjs'

/**
 * @param {typeof import('../../dist/webgpu.js').useWebGPU} useWebGPU
 * @param {'auto' | 'always'} when
 */
export async function useDevice(useWebGPU, when) {
  const adapter = await navigator.gpu.requestAdapter()
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits
  const device = await adapter.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } })
  const use = await useWebGPU({ device, when })
  return {
    use,
    end() {
      use.stop()
      device.destroy()
    },
  }
}

/**
 * The place that `when: 'auto'` chooses for each call of a row. Afterwards, programs run on the CPU.
 * @returns {Promise<Record<string, { device: 'gpu' | 'wasm', why: string }>>}
 */
export async function placesOfAuto(useWebGPU, library, prepared) {
  const { use, end } = await useDevice(useWebGPU, 'auto')
  const { calls, dispose } = await buildRow(library, prepared)
  const places = {}
  for (const [name, { call }] of Object.entries(calls)) {
    const before = use.programs.length
    await call()
    const program = use.programs[before]
    if (program !== undefined) places[name] = { device: program.device, why: program.why }
  }
  dispose()
  end()
  return places
}
