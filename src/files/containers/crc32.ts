// The checksum of zip and PNG, by Node's zlib where there is one, which takes a tenth of the time.

import { crc32 as portable } from '../../core/crc'
import { nodeModule } from '../../engine/runtime/platform'

/** CRC-32 of bytes, 0 … 2³² − 1. */
export function crc32(bytes: Uint8Array): number {
  return nodeModule('node:zlib')?.crc32?.(bytes) ?? portable(bytes)
}
