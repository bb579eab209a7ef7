// The entry for Deno: the names of `myelin`, and what consoles and notebooks show. Unlike the entry for Node it reads no files and no
// variables of the environment, for which Deno would ask.

import { useAllFormats } from '../files/loader'
import { useLoggedProgress } from '../training/callbacks/logged-progress'
import { showInConsoles } from './consoles'

useAllFormats()
showInConsoles()
useLoggedProgress()

export * from '..'
