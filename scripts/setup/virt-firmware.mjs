import { existsSync } from 'node:fs';
import { virtFirmwareFolder, virtFirmwareVersion } from './paths.mjs';
import { ensureVenv } from './venv.mjs';

/** Makes virt-fw-vars, which Debian 12 does not have: it enrols keys in the firmware of a node with Secure Boot. */
export async function ensureVirtFirmware({ progress, signal }) {
  const folder = virtFirmwareFolder(process.env);
  if (!existsSync(folder)) progress('virt-firmware: installing into the cache');
  await ensureVenv({ folder, requirement: `virt-firmware==${virtFirmwareVersion}` }, { progress, signal });
}
