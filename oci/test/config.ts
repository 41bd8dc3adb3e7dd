import { join } from 'node:path';
import * as paths from '../../scripts/setup/paths.mjs';

/** The registry of distribution v3, as `npm test` builds it into the cache. */
export const registryV3Program = join(paths.registryV3Folder(process.env), 'registry');
