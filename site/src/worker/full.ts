// The worker that reads and writes the files of other programs. The page loads it for the first such file.

import { convert, load, open } from './files'
import { imagesFor, transferred } from './transfer'
import { serve } from './worker'

serve({ convert, load, open, imagesFor, transferred })
