// The device for tests: Dawn of the package `webgpu`, over SwiftShader if there is no other. Tests are skipped without it, and
// fail with REQUIRE_WEBGPU=1.

import { existsSync } from 'node:fs'
import { Gpu } from '../../../src/engine/webgpu/device'

const SWIFTSHADER = ['/usr/lib/chromium/vk_swiftshader_icd.json', '/opt/google/chrome/vk_swiftshader_icd.json']

// Dawn ends the process if one of these objects is collected.
const kept: unknown[] = []
let entry: GPU | null = null

async function makeEntry(): Promise<GPU> {
  const icd = SWIFTSHADER.find((path) => existsSync(path))
  if (icd !== undefined) process.env['VK_ICD_FILENAMES'] ??= icd
  const { create } = await import('webgpu')
  return create([])
}

async function requestGpu(mayUseSubgroups: boolean): Promise<Gpu> {
  entry ??= await makeEntry()
  const adapter = await entry.requestAdapter()
  if (adapter === null) throw new Error('no adapter')
  const gpu = await Gpu.request(adapter, mayUseSubgroups ? entry.wgslLanguageFeatures : undefined)
  gpu.device.addEventListener('uncapturederror', ({ error }) => {
    throw new Error(error.message)
  })
  kept.push(adapter, gpu.device)
  return gpu
}

/** Another device. */
export const makeDevice = async (): Promise<GPUDevice> => (await requestGpu(false)).device

/** Another GPU; null without one. */
export async function makeGpu(mayUseSubgroups: boolean): Promise<Gpu | null> {
  try {
    return await requestGpu(mayUseSubgroups)
  } catch (error) {
    if (process.env['REQUIRE_WEBGPU'] === '1') throw error
    return null
  }
}

let made: Promise<Gpu | null> | null = null

/** The GPU of all tests; null without one. */
export function testGpu(): Promise<Gpu | null> {
  return (made ??= makeGpu(true))
}
