import { Readable } from 'node:stream';
import { type Pack, pack } from 'tar-stream';
import { DockerfileRefusedError } from './errors.ts';
import type { BuildRequest } from './executor.ts';

/** What the tools below belong to, on Debian. */
export const SANDBOX_PACKAGES = { setpriv: 'util-linux', unshare: 'util-linux', mount: 'mount', tar: 'tar' };

/**
 * Run as the first process of fresh namespaces: join the cgroup, put a /dev of harmless devices in the place of the
 * machine's (buildah hands on what it finds there, and a step is root: it could open the machine's disks), make device
 * nodes that an image brings unusable, unpack the secrets from stdin into memory that vanishes with the namespace, then
 * become the command.
 */
const SETUP = `set -eu
[ -z "$1" ] || echo 0 > "$1"
mount -t tmpfs -o mode=0755,nosuid,noexec,size=1m tmpfs "$2"
for device in null zero full random urandom tty; do : > "$2/$device"; mount --bind "/dev/$device" "$2/$device"; done
mkdir "$2/pts" "$2/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$2/pts"
mount -t tmpfs -o mode=1777,nosuid,nodev,size=256m tmpfs "$2/shm"
ln -s pts/ptmx "$2/ptmx"
ln -s /proc/self/fd "$2/fd"
for stream in stdin:0 stdout:1 stderr:2; do ln -s "/proc/self/fd/\${stream#*:}" "$2/\${stream%:*}"; done
mount --move "$2" /dev
mount --bind "$3" "$3"
mount -o remount,bind,nodev "$3"
mount -t tmpfs -o mode=0755,nosuid,nodev,noexec,size=64m tmpfs "$2"
tar -x -f - -C "$2"
shift 3
exec "$@" < /dev/null`;

export type Sandboxed = {
  argv: readonly string[];
  joinFile: string | undefined;
  /** Empty; also the place where things are prepared. */
  secretsFolder: string;
  /** Where buildah keeps the files of images. */
  storageFolder: string;
};

/**
 * A command with cut network and process view. Its whole process tree is gone when the outer process is killed, or when
 * the thread that started it dies: setpriv makes the kernel kill unshare, unshare its child, and with the first process of
 * a PID namespace all others end.
 */
export function sandboxed({ argv, joinFile, secretsFolder, storageFolder }: Sandboxed): [string, ...string[]] {
  const namespaces = ['--mount', '--net', '--ipc', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const setup = ['sh', '-c', SETUP, 'sh', joinFile ?? '', secretsFolder, storageFolder];
  return ['setpriv', '--pdeathsig', 'KILL', 'unshare', ...namespaces, ...setup, ...argv];
}

/** A tar of `<secret>/<key>` files. Throws DockerfileRefusedError for names that Kubernetes would not allow either. */
export function secretsArchive(secrets: BuildRequest['secrets']): Readable {
  const archive: Pack = pack();
  for (const [secret, entries] of Object.entries(secrets)) {
    for (const [key, value] of Object.entries(entries)) {
      const valid =
        /^[a-z0-9][-a-z0-9.]{0,252}$/.test(secret) && /^[-._a-zA-Z0-9]{1,253}$/.test(key) && !/^\.\.?$/.test(key);
      if (!valid) throw new DockerfileRefusedError('a build secret has a name that is no name of a Secret');
      archive.entry({ name: `${secret}/${key}`, mode: 0o444 }, value);
    }
  }
  archive.finalize();
  return Readable.from(archive, { objectMode: false });
}
