/** The thread in which logs are read (see `reader.ts`). */
import { serve } from '../thread.ts';
import { look } from './look.ts';

serve(look);
