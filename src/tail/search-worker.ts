/** The thread that searches logs (see `searches.ts`). */

import { searchLog } from '../log/search.ts';
import { serve } from '../thread.ts';

serve(searchLog);
