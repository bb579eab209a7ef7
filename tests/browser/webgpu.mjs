// WebGPU in a Chromium that has it, with SwiftShader if there is no GPU, and in one that has not: in the page and in a worker.

import assert from 'node:assert/strict'
import { launch } from '../../examples/shared/browser.js'
import { serve } from '../../examples/shared/serve.js'

const FLAGS = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']
const timeout = 120_000 // milliseconds

/**
 * @param {string} executablePath of a Chromium
 * @returns what was tested
 * @throws for a wrong result, and with REQUIRE_WEBGPU=1 if this Chromium finds no adapter
 */
export async function runOnGpu(executablePath) {
  const without = await resultsOf(executablePath, ['--disable-features=WebGPU'])
  for (const place of ['page', 'worker']) assertWithout(without[place])
  const results = await resultsOf(executablePath, FLAGS)
  if (!results.page.hasAdapter) {
    assert.notEqual(process.env.REQUIRE_WEBGPU, '1', 'this Chromium finds no adapter for WebGPU')
    return `only pages without WebGPU: this Chromium finds no adapter. ${without.page.auto.note}`
  }
  for (const place of ['page', 'worker']) assertOnGpu(results[place])
  return `${results.page.always.note}; differences ${results.page.always.difference} and ${results.worker.always.difference}`
}

async function resultsOf(executablePath, flags) {
  const [server, browser] = [await serve(), await launch(executablePath, flags)]
  try {
    const page = await browser.newPage()
    const complaints = []
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(`${server.address}tests/browser/gpu.html`)
    const handle = await page.waitForFunction(() => window.testResult, undefined, { timeout })
    const results = await handle.jsonValue()
    assert.equal(results.error, undefined, results.error)
    assert.deepEqual(complaints, [])
    return results
  } finally {
    await browser.close()
    server.close()
  }
}

/** Everything runs on the CPU, with the same bits, and the note says why. */
function assertOnCpu({ isAvailable, devices, reported, difference }) {
  assert.deepEqual(
    { isAvailable, devices, reported, difference },
    { isAvailable: false, devices: [], reported: 0, difference: 0 },
  )
}

function assertWithout({ hasAdapter, auto, always }) {
  assert.equal(hasAdapter, false)
  for (const use of [auto, always]) {
    assertOnCpu(use)
    assert.match(use.note, /this runtime has no WebGPU|WebGPU found no adapter/)
  }
}

function assertOnGpu({ isFallback, auto, always }) {
  if (isFallback) {
    assertOnCpu(auto)
    assert.match(auto.note, /is a software adapter/)
  }
  assert.equal(always.isAvailable, true, always.note)
  assert.match(always.note, /: used for every program that it can run$/)
  // The training step, and predictions.
  assert.ok(always.devices.length >= 2, `programs: ${always.devices}`)
  assert.ok(always.devices.every((device) => device === 'gpu'))
  assert.equal(always.reported, always.devices.length)
  // Another order of sums, so not the same bits; within those of rounding.
  assert.ok(always.difference <= 1e-5, `the largest difference is ${always.difference}`)
}
