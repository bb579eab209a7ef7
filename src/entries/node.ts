// The entry for Node: the names of `myelin`, and what start-in-node.ts does.

import { startInNode } from './start-in-node'

startInNode()

export * from '..'
