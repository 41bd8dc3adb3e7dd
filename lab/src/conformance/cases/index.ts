import type { ConformanceCase } from '../case.ts';
import { applying } from './applying.ts';
import { deleting } from './deleting.ts';
import { disconnecting } from './disconnecting.ts';
import { looking } from './looking.ts';
import { rules } from './rules.ts';
import { serverSideApply } from './server-side-apply.ts';
import { strategies } from './strategies.ts';

/** All that a work agent is judged by, in the order of their numbers. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...[applying, deleting, strategies, serverSideApply, looking, disconnecting, rules],
]
  .flat()
  .toSorted((a, b) => Number.parseInt(a.number, 10) - Number.parseInt(b.number, 10));
