/** The thread in which logs are searched (see `searches.ts`). */

import { searchLog } from '../log/search.ts';
import { serve } from '../thread.ts';

serve(searchLog);
