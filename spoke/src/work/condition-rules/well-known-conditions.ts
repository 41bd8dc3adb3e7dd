import type { Condition, KubeObject } from '@kmm-hub/api-types';
import { conditionOf } from '@kmm-hub/kube';

type Judgement = Pick<Condition, 'status' | 'message'>;
type Status = { phase?: string; conditions?: Condition[] };

/** OCM's table: `apiVersion/kind` → whether the object is Complete, and in which words. */
const completeByKind: Record<string, (status: Status) => Judgement> = {
  'batch/v1/Job': ({ conditions }) => {
    const finished = ['Complete', 'Failed'].some((type) => conditionOf(conditions, type)?.status === 'True');
    return judgement(finished, `Job is ${finished ? '' : 'not '}finished`);
  },
  'v1/Pod': ({ phase = '' }) =>
    judgement(['Succeeded', 'Failed'].includes(phase), `Pod is in phase ${phase || 'Unknown'}`),
};

/** `undefined` for every condition but Complete, and for a kind whose completion nobody has agreed on. */
export function wellKnownCondition(object: KubeObject, condition: string): Judgement | undefined {
  if (condition !== 'Complete') return undefined;
  const { status = {} } = object as KubeObject & { status?: Status };
  return completeByKind[`${object.apiVersion}/${object.kind}`]?.(status);
}

function judgement(holds: boolean, message: string): Judgement {
  return { status: holds ? 'True' : 'False', message };
}
