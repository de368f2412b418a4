/** The thread that draws charts (see `charts.ts`). */
import { serve } from '../thread.ts';
import { draw } from './draw.ts';

serve(draw);
