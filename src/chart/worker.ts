/** The thread in which charts are drawn (see `charts.ts`). */
import { serve } from '../thread.ts';
import { draw } from './draw.ts';

serve(draw);
