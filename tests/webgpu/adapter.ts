// The device for tests: Dawn of the package `webgpu`, over SwiftShader if there is no other. Tests are skipped without it, and
// fail with REQUIRE_WEBGPU=1.

import { existsSync } from 'node:fs'
import { Gpu } from '../../src/engine/webgpu/device'

const SWIFTSHADER = ['/usr/lib/chromium/vk_swiftshader_icd.json', '/opt/google/chrome/vk_swiftshader_icd.json']

const kept: unknown[] = []

async function makeGpu(): Promise<Gpu | null> {
  const icd = SWIFTSHADER.find((path) => existsSync(path))
  if (icd !== undefined) process.env['VK_ICD_FILENAMES'] ??= icd
  try {
    const { create } = await import('webgpu')
    const gpu = create([])
    // Dawn ends the process if this object is collected.
    kept.push(gpu)
    const adapter = await gpu.requestAdapter()
    if (adapter === null) throw new Error('no adapter')
    const { limits } = adapter
    const device = await adapter.requestDevice({
      requiredLimits: {
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
        maxBufferSize: limits.maxBufferSize,
      },
    })
    device.addEventListener('uncapturederror', ({ error }) => {
      throw new Error(error.message)
    })
    return new Gpu(device)
  } catch (error) {
    if (process.env['REQUIRE_WEBGPU'] === '1') throw error
    return null
  }
}

let made: Promise<Gpu | null> | null = null

/** The GPU of all tests; null without one. */
export function testGpu(): Promise<Gpu | null> {
  return (made ??= makeGpu())
}
