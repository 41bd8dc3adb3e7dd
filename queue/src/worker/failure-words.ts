import { explain, type HubError } from '@kmm-hub/api-types';
import { resultLimits } from '../client/image-result.ts';
import { BuildFailedError } from '../executors/errors.ts';

/** Of one line that a build printed: buildah repeats a whole RUN instruction in its own last one. */
const LINE_CHARACTERS = 240;
/** A condition of the ManagedClusterModule, 2,048 characters, is to hold it whole behind the cluster's and the image's name. */
const BUILD_CHARACTERS = 1_500;

/**
 * Reason and message of a failure, within the bounds of a result. The compiler's last lines are what a person needs first,
 * so the newest that fit are kept, and long ones are cut.
 */
export function failureWords(err: HubError): { reason: string; message: string } {
  const reason = err.code;
  if (!(err instanceof BuildFailedError)) return { reason, message: cut(explain(err), resultLimits.messageCharacters) };
  const head = `${cut(err.message, LINE_CHARACTERS)}. ${err.remedy}`;
  const kept: string[] = [];
  let room = BUILD_CHARACTERS - head.length;
  for (const line of err.lastLines.map((text) => cut(text, LINE_CHARACTERS)).reverse()) {
    room -= line.length + 1;
    if (room < 0) break;
    kept.unshift(line);
  }
  return { reason, message: [head, ...kept].join('\n') };
}

function cut(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters - 1)}…`;
}
