// Counts the calls of WebGPU, of every library in the process, by replacing methods of its classes.

/** The kinds of calls, as tables name them. */
export const COUNTED = ['dispatches', 'submits', 'objects', 'written', 'read']

const CREATED = [
  'createBuffer',
  'createBindGroup',
  'createBindGroupLayout',
  'createPipelineLayout',
  'createShaderModule',
  'createComputePipeline',
  'createComputePipelineAsync',
  'createQuerySet',
  'createTexture',
]
const READ = 1 // GPUMapMode.READ

/** The bytes of writeBuffer: its last two arguments count elements of a typed array, otherwise bytes. */
function bytesOf(data, offset = 0, size) {
  const width = data.BYTES_PER_ELEMENT ?? 1
  return size === undefined ? data.byteLength - offset * width : size * width
}

/**
 * Replaces the methods, for as long as the process lives.
 * @param {typeof globalThis} globals  has the classes of WebGPU
 * @returns {{ take: () => Record<string, number> }} the counts since the last call of `take`
 */
export function countCalls({ GPUBuffer, GPUComputePassEncoder, GPUDevice, GPUQueue }) {
  const none = () => Object.fromEntries(COUNTED.map((name) => [name, 0]))
  let counts = none()
  const watch = ({ prototype }, name, count) => {
    const original = prototype[name]
    if (original === undefined) return
    prototype[name] = function (...args) {
      count(...args, this)
      return original.apply(this, args)
    }
  }
  for (const name of CREATED) watch(GPUDevice, name, () => counts.objects++)
  watch(GPUDevice, 'createBuffer', ({ mappedAtCreation, size }) => {
    if (mappedAtCreation) counts.written += size
  })
  for (const name of ['dispatchWorkgroups', 'dispatchWorkgroupsIndirect'])
    watch(GPUComputePassEncoder, name, () => counts.dispatches++)
  watch(GPUQueue, 'submit', () => counts.submits++)
  watch(GPUQueue, 'writeBuffer', (_buffer, _at, data, ...part) => {
    counts.written += bytesOf(data, ...part.slice(0, -1))
  })
  watch(GPUBuffer, 'mapAsync', (mode, ...rest) => {
    const [offset, size] = rest.slice(0, -1)
    const buffer = rest.at(-1)
    if (mode === READ) counts.read += size ?? buffer.size - (offset ?? 0)
  })
  return {
    take() {
      const taken = counts
      counts = none()
      return taken
    },
  }
}
