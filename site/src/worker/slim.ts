// The worker with which the page begins.

import { serve } from './worker'

serve(null)
