// interim
import type { Json } from '../../core/registry'
export interface PresetFolder {
  readonly name: string
  json(name: string): Promise<Json>
  text(name: string): Promise<string | null>
  bytes(name: string): Promise<Uint8Array | null>
}
