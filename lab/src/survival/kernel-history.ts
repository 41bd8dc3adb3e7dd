import { readFile } from 'node:fs/promises';
import type { DemoModule } from '../demo/modules.ts';
import type { LabNode } from '../nodes/node.ts';

/** What a module has said in one start of a kernel, oldest first. */
export type Boot = readonly ('loaded' | 'unloaded')[];

/** What the kernels of a node have printed of a module, one entry for each start of the machine. */
export async function bootsOf({ logFile }: LabNode, module: DemoModule): Promise<Boot[]> {
  return readBoots(await readFile(logFile, 'utf8'), module);
}

/** `text`: a serial console. The module says `hello…` when it is loaded and `goodbye` when it is unloaded. */
export function readBoots(text: string, { kernelModule }: DemoModule): Boot[] {
  const said = new RegExp(`\\b${kernelModule}: (?:(hello\\S*)|goodbye)\\s*$`);
  const boots: ('loaded' | 'unloaded')[][] = [];
  for (const line of text.split('\n')) {
    if (line.includes('] Linux version ')) boots.push([]);
    const words = said.exec(line);
    if (words !== null) boots.at(-1)?.push(words[1] === undefined ? 'unloaded' : 'loaded');
  }
  return boots;
}

/** A start may end, by a power cut, before the module came; none loads it twice or lets it go, and the newest one has it. */
export function isLoadedOnce(boots: readonly Boot[]): boolean {
  const words = boots.map((boot) => boot.join());
  return words.every((said) => said === '' || said === 'loaded') && words.at(-1) === 'loaded';
}

/** As before, and where it was told to go it went once. The newest start does not have it. */
export function isUnloadedOnce(boots: readonly Boot[]): boolean {
  const words = boots.map((boot) => boot.join());
  return words.every((said) => ['', 'loaded', 'loaded,unloaded'].includes(said)) && words.at(-1) !== 'loaded';
}
