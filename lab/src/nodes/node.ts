import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../host/command.ts';
import { type ExitStatus, ProcessExitedError } from '../host/errors.ts';
import { lastLines } from '../host/log-file.ts';
import { type RunningProcess, startProcess } from '../host/process.ts';
import { waitFor } from '../host/wait.ts';
import { cachedEntry } from './cached-entry.ts';
import { NodeUnreachableError } from './errors.ts';
import type { Kernel } from './kernels.ts';
import { AGENT_LOG, CONSOLE_LOG, PROBE_SOCKET, QEMU } from './machine.ts';
import type { NodeOptions } from './node-options.ts';
import { prepareMachine } from './prepare-machine.ts';
import { type Probe, probeOf } from './probe.ts';
import { ProbePort } from './probe-port.ts';
import { findProgram } from './program.ts';

const STATE_DISK_SIZE = '64M';
/** From power on to the first answer of the probe; 2 s on an idle machine, 9 s under Secure Boot. */
const BOOT_LIMIT_MS = 300_000;
/** Above the 10 s that guest/shutdown gives the agent. */
const SHUTDOWN_LIMIT_MS = 120_000;

/** Boots a machine and answers when its probe does. Throws ProcessExitedError, NotReadyError or MissingToolError. */
export async function startNode(options: NodeOptions): Promise<LabNode> {
  const { folder, signal } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await cachedEntry(join(folder, 'state.img'), async (file) => {
    await runCommand(findProgram('mke2fs'), ['-q', '-t', 'ext4', file, STATE_DISK_SIZE], { signal });
  });
  const node = new LabNode(options);
  await node.powerOn({ signal });
  return node;
}

/**
 * A node: a real kernel in QEMU with the agent in it. Like a real machine it starts again by itself when its kernel
 * restarts, be it in order or after a panic; only `powerCut` and `stop` leave it off.
 */
export class LabNode {
  readonly name: string;
  readonly probe: Probe;
  /** The serial console: the kernel's log and the guest scripts' words, of all starts. */
  readonly logFile: string;
  /** What the agent writes, of all starts. */
  readonly agentLogFile: string;
  readonly #options: NodeOptions;
  readonly #port: ProbePort;
  readonly #lifetime = new AbortController();
  #kernel: Kernel;
  /** The newest start; undefined while the power is off. */
  #boot: Promise<RunningProcess> | undefined;
  #pid: number | undefined;
  /** Why it is off although nobody switched it off. */
  #failure: unknown;

  constructor(options: NodeOptions) {
    const { name, folder, kernel } = options;
    this.#options = options;
    this.#kernel = kernel;
    this.name = name;
    this.logFile = join(folder, CONSOLE_LOG);
    this.agentLogFile = join(folder, AGENT_LOG);
    this.#port = new ProbePort({ node: name, socketPath: join(folder, PROBE_SOCKET), consoleLog: this.logFile });
    this.probe = probeOf(this.#port);
  }

  /** The kernel of the newest start, or of the one that `reboot` has asked for. */
  get kernel(): Kernel {
    return this.#kernel;
  }

  /** QEMU's; undefined while the power is off. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Waits until the probe answers. A node that is on already is left as it is. */
  async powerOn({ kernel = this.#kernel, signal }: { kernel?: Kernel; signal: AbortSignal }): Promise<void> {
    if (this.#boot === undefined) {
      this.#kernel = kernel;
      this.#start(signal);
    }
    await this.#boot;
  }

  /** Restarts in order (the agent gets its grace period, the disk is written out), with another kernel when given. */
  async reboot({ kernel = this.#kernel, signal }: { kernel?: Kernel; signal: AbortSignal }): Promise<void> {
    const boot = this.#boot;
    await this.#on();
    this.#kernel = kernel;
    await this.#port.ask('reboot', signal);
    const ended = async () => (this.#boot === boot ? undefined : true);
    await waitFor({ what: `the end of node ${this.name}`, check: ended, timeoutMs: SHUTDOWN_LIMIT_MS, signal });
    await this.#on();
  }

  /** The plug is pulled: nothing is written out, the agent is told nothing. `powerOn` starts it again. */
  async powerCut(): Promise<void> {
    const running = await this.#off();
    running?.kill('SIGKILL');
    await running?.exited;
  }

  /** kill -9 of the agent in the node; what the node has in a kubelet's place starts it again after a back-off. */
  async killAgent(signal: AbortSignal): Promise<void> {
    await this.#port.ask('kill-agent', signal);
  }

  /** Ends the machine for good. */
  async stop(): Promise<void> {
    this.#lifetime.abort();
    const running = await this.#off();
    await running?.stop({ graceMs: 2_000 });
  }

  async #on(): Promise<RunningProcess> {
    if (this.#boot !== undefined) return this.#boot;
    throw new NodeUnreachableError(`node ${this.name} is off`, this.logFile, { cause: this.#failure });
  }

  /** From here on an end of QEMU starts nothing. A start that failed or was aborted left nothing running. */
  async #off(): Promise<RunningProcess | undefined> {
    const boot = this.#boot;
    this.#boot = undefined;
    const running = await boot?.catch(() => undefined);
    this.#port.close();
    this.#pid = undefined;
    return running;
  }

  #start(signal: AbortSignal): void {
    const boot = this.#launch(AbortSignal.any([signal, this.#lifetime.signal]));
    this.#boot = boot;
    this.#restartAfter(boot).catch((err: unknown) => {
      if (this.#boot !== boot) return;
      this.#failure = err;
      this.#boot = undefined;
    });
  }

  async #restartAfter(boot: Promise<RunningProcess>): Promise<void> {
    const running = await boot;
    this.#pid = running.pid;
    const status = await running.exited;
    if (this.#boot !== boot) return; // cut or stopped
    this.#pid = undefined;
    // -no-reboot: QEMU ends with 0 when the guest restarts
    if (status.code !== 0) throw new ProcessExitedError(`node ${this.name}`, await this.#endOf(status));
    this.#start(this.#lifetime.signal);
  }

  async #launch(signal: AbortSignal): Promise<RunningProcess> {
    this.#port.close(); // of the machine before
    const args = await prepareMachine({ ...this.#options, kernel: this.#kernel, signal });
    return startProcess({
      name: `node ${this.name}`,
      command: QEMU,
      args,
      cwd: this.#options.folder,
      logFile: this.#qemuLog,
      ready: async (limit) => void (await this.probe.bootId(limit)),
      readyTimeoutMs: BOOT_LIMIT_MS,
      signal,
    });
  }

  get #qemuLog(): string {
    return join(this.#options.folder, 'qemu.log');
  }

  async #endOf(status: ExitStatus) {
    return { status, logFile: this.#qemuLog, lastLines: await lastLines(this.#qemuLog) };
  }
}
