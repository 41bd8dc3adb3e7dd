import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { HostRoot } from '../features/host-root.ts';

export const firmwareDefaults = {
  /** On the node; upstream's `worker.firmwareHostPath` for clusters that set it up themselves. */
  hostPath: '/var/lib/firmware',
};

/** Where the kernel looks before its own folders; up to 255 characters. */
const SEARCH_PATH = 'sys/module/firmware_class/parameters/path';

export type Firmware = {
  host: HostRoot;
  /** Folder with the image's firmware. */
  folder: string;
  /** Folder on the node, as the node sees it. */
  hostPath: string;
};

/** Lets the kernel find firmware in `hostPath`; writes only when it does not look there already. */
export async function setFirmwareSearchPath({ host, hostPath }: Pick<Firmware, 'host' | 'hostPath'>): Promise<void> {
  if ((await host.readValue(SEARCH_PATH)) === hostPath) return;
  await writeFile(await host.locate(SEARCH_PATH), hostPath);
}

/** Puts the image's firmware onto the node, over what is there; links stay links. */
export async function installFirmware({ host, folder, hostPath }: Firmware): Promise<void> {
  if (!(await host.exists(hostPath))) await mkdir(join(host.path, hostPath), { recursive: true });
  await cp(folder, await host.locate(hostPath), { recursive: true, force: true, verbatimSymlinks: true });
}

/** Takes every file of the image's firmware off the node; folders stay, as other Modules may use them. */
export async function removeFirmware({ host, folder, hostPath }: Firmware): Promise<void> {
  if (!(await host.exists(hostPath))) return;
  const target = await host.locate(hostPath);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    await rm(join(target, relative(folder, join(entry.parentPath, entry.name))), { force: true });
  }
}
