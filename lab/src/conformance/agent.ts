import { execPath } from 'node:process';
import { ProcessExitedError } from '../host/errors.ts';
import { lastLines } from '../host/log-file.ts';
import { type RunningProcess, startProcess } from '../host/process.ts';

/** A work agent as the judge sees it: something that can be started and stopped. */
export interface JudgedAgent {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export type AgentCommand = { command: string; args: string[] };
export type AgentPlaces = { hub: string; spoke: string; cluster: string };

/**
 * What a person gave as `--agent`, for a shell: {hub} and {spoke} are paths of kubeconfigs, {cluster} is the cluster's name. The
 * shell gives its place to the program, so that signals reach that.
 */
export function shellCommand(template: string, places: AgentPlaces): AgentCommand {
  const command = template.replaceAll(/\{(hub|spoke|cluster)\}/g, (_, place: keyof AgentPlaces) =>
    quoted(places[place]),
  );
  return { command: '/bin/sh', args: ['-c', `exec ${command}`] };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A program of this checkout, under the Node that runs the judge. */
export function nodeCommand(entry: string, args: string[]): AgentCommand {
  return { command: execPath, args: [entry, ...args] };
}

/** An agent as a process; `onEnd` is told when it ends by itself, at once too. Its output goes to `logFile`. */
export function processAgent(
  { command, args }: AgentCommand,
  { logFile, onEnd, signal }: { logFile: string; onEnd: (error: ProcessExitedError) => void; signal: AbortSignal },
): JudgedAgent {
  const name = 'the agent';
  let running: { process: RunningProcess; wanted: boolean } | undefined;
  return {
    async start() {
      try {
        const current = { process: await startProcess({ name, command, args, logFile, signal }), wanted: true };
        running = current;
        void current.process.exited.then(async (status) => {
          if (!current.wanted) return;
          onEnd(new ProcessExitedError(name, { status, logFile, lastLines: await lastLines(logFile) }));
        });
      } catch (error) {
        if (!(error instanceof ProcessExitedError)) throw error;
        onEnd(error);
      }
    },
    async stop() {
      if (running === undefined) return;
      running.wanted = false;
      await running.process.stop({ graceMs: 30_000 });
    },
  };
}
