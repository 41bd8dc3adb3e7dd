import { argv } from 'node:process';
import { type ConfigMap, configMap } from '@kmm-hub/api-types';
import { KubeClient, type Leading, loadConnection, runAsLeader, runProcess, sleep } from '../src/index.ts';

/** `leader-process.ts KUBECONFIG NAMESPACE IDENTITY TIMING`: as leader it writes without a pause; the test looks at what lands. */
await runProcess('leader', async ({ log, signal }) => {
  const [kubeconfig = '', namespace = '', identity = '', timing = '{}'] = argv.slice(2);
  const connection = await loadConnection({ kubeconfig });
  const client = new KubeClient(connection, identity);
  const lease = { namespace, name: 'test' };
  const options = { client, lease, identity, log, timing: JSON.parse(timing) };
  try {
    await runAsLeader(options, (leading) => writeWithoutPause({ connection, namespace, identity }, leading), signal);
  } finally {
    await client.close();
  }
});

type Writer = { connection: Awaited<ReturnType<typeof loadConnection>>; namespace: string; identity: string };

/**
 * A process that goes on after a pause first runs the timers that are overdue, in the order of their times: the writers'
 * come before the renewal's, so that only the fence stands between them and the API server.
 */
async function writeWithoutPause({ connection, namespace, identity }: Writer, { fence, signal }: Leading) {
  const client = new KubeClient(connection, identity, { fence });
  const write = async (name: string) => {
    const object: ConfigMap = { metadata: { name, namespace }, data: { writer: identity } };
    const made = await client.create(configMap, object, signal);
    const { metadata } = await client.replace(
      configMap,
      { object: { ...made, data: { writer: identity, n: '2' } } },
      signal,
    );
    await client.delete(configMap, { namespace, name, uid: metadata.uid ?? '' }, signal);
  };
  const loop = async (writer: number) => {
    for (let round = 0; !signal.aborted; round += 1) {
      await sleep(writer, signal);
      await write(`${identity}-${writer}-${round}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: 24 }, (_, writer) => loop(writer)));
  } finally {
    await client.close();
  }
}
