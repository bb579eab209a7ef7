// The numbers of WebGPU's flags. Pages have them as globals; in Node they exist only if a program puts them there.

export const STAGE_COMPUTE = 0x4
export const USAGE = { mapRead: 0x1, copySource: 0x4, copyTarget: 0x8, uniform: 0x40, storage: 0x80 } as const
export const MAP_READ = 0x1
