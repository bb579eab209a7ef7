// What a device can do at most, measured by two kernels: bytes copied and multiply-adds, a second. Limits of adapters name no speeds.

const BYTES = 2 ** 27
const WORKGROUP = 256
/** Multiply-adds of vec4 in each turn of the loop; as many chains, so that none waits for its last result. */
const CHAINS = 8
const TURNS = 512
const THREADS = 2 ** 20
/** Milliseconds of one sample. */
const SAMPLE = 60

const COPY = `
@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> target_: array<vec4f>;
@compute @workgroup_size(${WORKGROUP}) fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * ${WORKGROUP}u + id.x;
  if (i < arrayLength(&source)) { target_[i] = source[i] * 1.0001; }
}`

const chains = (line) => Array.from({ length: CHAINS }, (_, k) => line(`v${k}`, k)).join(' ')
const MULTIPLY_ADD = `
@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> target_: array<vec4f>;
@compute @workgroup_size(${WORKGROUP}) fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = source[0]; let b = source[1];
  ${chains((v, k) => `var ${v} = vec4f(f32(id.x + ${k}u));`)}
  for (var i = 0; i < ${TURNS}; i++) { ${chains((v) => `${v} = fma(${v}, a, b);`)} }
  target_[id.x] = ${Array.from({ length: CHAINS }, (_, k) => `v${k}`).join(' + ')};
}`

/**
 * @param {GPUDevice} device
 * @returns {Promise<{ bytesPerSecond: number, flopsPerSecond: number }>}
 */
export async function measuredLimits(device) {
  const { maxStorageBufferBindingSize, maxBufferSize } = device.limits
  const size = Math.min(BYTES, maxStorageBufferBindingSize, maxBufferSize)
  const STORAGE = 128 // GPUBufferUsage.STORAGE
  const buffers = [0, 1].map(() => device.createBuffer({ size, usage: STORAGE }))
  const seconds = async (code, threads) => {
    const pipeline = await device.createComputePipelineAsync({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
    })
    const bindGroup = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    })
    const groups = Math.ceil(threads / WORKGROUP)
    const across = Math.min(groups, 2 ** 15)
    return secondsOf(device, (pass) => {
      pass.setPipeline(pipeline)
      pass.setBindGroup(0, bindGroup)
      pass.dispatchWorkgroups(across, Math.ceil(groups / across))
    })
  }
  const threads = Math.min(THREADS, size / 16)
  const copy = await seconds(COPY, size / 16)
  const multiply = await seconds(MULTIPLY_ADD, threads)
  for (const buffer of buffers) buffer.destroy()
  // A multiply-add of vec4 is eight operations.
  return { bytesPerSecond: (2 * size) / copy, flopsPerSecond: (threads * TURNS * CHAINS * 8) / multiply }
}

/** The seconds of one dispatch: the least of five samples, each of as many dispatches as take some time. */
async function secondsOf(device, dispatch) {
  const timed = async (count) => {
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    for (let i = 0; i < count; i++) dispatch(pass)
    pass.end()
    const start = performance.now()
    device.queue.submit([encoder.finish()])
    await device.queue.onSubmittedWorkDone()
    return (performance.now() - start) / 1000
  }
  await timed(1)
  let count = 1
  while ((await timed(count)) < SAMPLE / 1000 && count < 4096) count *= 2
  let least = Infinity
  for (let round = 0; round < 5; round++) least = Math.min(least, await timed(count))
  return least / count
}
