// The progress of fit where only what is logged is seen, as in the notebooks of Deno. The entry for Deno uses it.

import { PLAIN } from '../../engine/runtime/live-line'
import { nodeProcess } from '../../engine/runtime/platform'
import { ProgressBar, progress } from './progress'
import { useTerminalProgress } from './terminal-progress'

class LoggedProgress extends ProgressBar {
  protected override readonly out = null
}

/** Makes fit log a line per epoch, unless there is a terminal. */
export function useLoggedProgress(): void {
  if (nodeProcess()?.stdout?.isTTY === true) useTerminalProgress(PLAIN)
  else progress.make = () => new LoggedProgress()
}
