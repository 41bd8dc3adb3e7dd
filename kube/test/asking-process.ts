import { argv } from 'node:process';
import { KubeClient, loadConnection, processEnvironment, runProcess } from '../src/index.ts';

/** `asking-process.ts PATH`: asks the API server that its environment names, on the way that it names, and prints the answer. */
await runProcess('asking', async ({ signal }) => {
  const client = new KubeClient(await loadConnection(processEnvironment().connection), 'asking-process');
  try {
    process.stdout.write(await client.raw<string>(argv[2] ?? '/', signal));
  } finally {
    await client.close();
  }
});
