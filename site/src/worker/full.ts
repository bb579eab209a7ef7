// The worker that reads and writes the files of other programs. The page loads it for the first such file.

import * as formats from './files'
import { serve } from './worker'

serve(formats)
