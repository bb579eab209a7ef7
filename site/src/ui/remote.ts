// The worker of the playground.

import type { Command, Message, Questions } from '../worker/protocol'
import { Link } from './link'

export class Remote extends Link<Questions, Command, Message> {}
