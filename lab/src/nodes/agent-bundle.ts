import { rolldown } from 'rolldown';

/** A file of the bundle, path relative to its folder; `main.js` is the entry. */
export type BundleFile = { path: string; content: Buffer };

/** The node agent as it ships: one folder of ES modules without node_modules. `entry` is its main.ts. */
export async function bundleAgent(entry: string): Promise<BundleFile[]> {
  const bundle = await rolldown({ input: { main: entry }, platform: 'node', logLevel: 'silent' });
  try {
    const { output } = await bundle.generate({ format: 'esm', entryFileNames: '[name].js', sourcemap: false });
    return output.map((file) => ({
      path: file.fileName,
      content: Buffer.from(file.type === 'chunk' ? file.code : file.source),
    }));
  } finally {
    await bundle.close();
  }
}
