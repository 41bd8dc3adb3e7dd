import { rolldown } from 'rolldown';

/** A file of the bundle, path relative to its folder; `main.js` is the entry. */
export type BundleFile = { path: string; content: Buffer };

/** By entry. A bundle takes a second of CPU, and nodes that start at once all want the same. */
const bundles = new Map<string, Promise<BundleFile[]>>();

/**
 * The node agent as it ships: one folder of ES modules without node_modules. `entry` is its main.ts; what was bundled once
 * stays as it is for the life of this process.
 */
export function bundleAgent(entry: string): Promise<BundleFile[]> {
  const known = bundles.get(entry);
  if (known !== undefined) return known;
  const made = bundle(entry);
  bundles.set(entry, made);
  made.catch(() => bundles.delete(entry)); // the next start tries again; this one's caller has the error
  return made;
}

async function bundle(entry: string): Promise<BundleFile[]> {
  const build = await rolldown({ input: { main: entry }, platform: 'node', logLevel: 'silent' });
  try {
    const { output } = await build.generate({ format: 'esm', entryFileNames: '[name].js', sourcemap: false });
    return output.map((file) => ({
      path: file.fileName,
      content: Buffer.from(file.type === 'chunk' ? file.code : file.source),
    }));
  } finally {
    await build.close();
  }
}
