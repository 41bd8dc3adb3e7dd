import { formatReference, parseReference } from '@kmm-hub/oci';
import { DockerfileRefusedError } from './errors.ts';

/** What must be known of a Dockerfile before it runs. */
export type DockerfileFacts = {
  /** Images it starts from or copies from, fully qualified, each once, in order; stages and `scratch` are none. */
  baseImages: string[];
  /** Names in its ARG instructions. */
  declaredArgs: string[];
};

type Instruction = { keyword: string; rest: string };

/** Buildah 1.28 lets some of these mounts reach the host's files (CVE-2024-1753, CVE-2024-9675); upstream's kaniko has none. */
const REFUSED_MOUNT = /^--mount=(?!type=(?:tmpfs|secret)(?:,|$))/;
const MAX_BYTES = 1024 * 1024; // a ConfigMap holds no more

/**
 * Reads FROM, ARG and COPY --from with the build arguments put in, as Docker does: arguments before the first FROM count
 * there, `${NAME:-default}` and `${NAME:+value}` are understood, the `escape` directive is honoured
 * (docs.docker.com/reference/dockerfile). Throws DockerfileRefusedError, also for bind and cache mounts in RUN.
 */
export function readDockerfile(text: string, buildArgs: Readonly<Record<string, string>>): DockerfileFacts {
  if (text.length > MAX_BYTES) throw new DockerfileRefusedError('the Dockerfile is larger than 1 MiB');
  const reader = new Reader(buildArgs);
  for (const instruction of readInstructions(text)) reader.read(instruction);
  return reader.facts();
}

class Reader {
  readonly #buildArgs: Readonly<Record<string, string>>;
  /** Values of the arguments before the first FROM, the only ones that count in FROM. */
  readonly #globals = new Map<string, string>();
  readonly #declared = new Set<string>();
  readonly #stages = new Set<string>();
  readonly #images = new Set<string>();
  #stageCount = 0;

  constructor(buildArgs: Readonly<Record<string, string>>) {
    this.#buildArgs = buildArgs;
  }

  read({ keyword, rest }: Instruction): void {
    if (keyword === 'ARG') this.#readArg(rest);
    if (keyword === 'FROM') this.#readFrom(rest);
    if (keyword === 'RUN') requireHarmlessMounts(rest);
    if (keyword === 'COPY') for (const image of copySources(rest)) this.#addImage(image);
  }

  facts(): DockerfileFacts {
    if (this.#stageCount === 0) throw new DockerfileRefusedError('the Dockerfile has no FROM');
    const baseImages = [...this.#images].filter((image) => image !== 'scratch').map(qualify);
    return { baseImages: [...new Set(baseImages)], declaredArgs: [...this.#declared] };
  }

  #readArg(rest: string): void {
    for (const [name, value] of readArgs(rest)) {
      this.#declared.add(name);
      if (this.#stageCount === 0) this.#globals.set(name, this.#buildArgs[name] ?? substitute(value, this.#globals));
    }
  }

  #readFrom(rest: string): void {
    const { image, name } = readFrom(substitute(rest, this.#globals));
    this.#addImage(image);
    this.#stages.add(String(this.#stageCount)); // COPY --from may say the number
    if (name !== undefined) this.#stages.add(name.toLowerCase());
    this.#stageCount += 1;
  }

  #addImage(image: string): void {
    if (!this.#stages.has(image.toLowerCase())) this.#images.add(image);
  }
}

/** One instruction a line: comments dropped, continued lines joined. Here-documents are not a thing of buildah 1.28. */
function readInstructions(text: string): Instruction[] {
  const continues = /^\s*#\s*escape\s*=\s*(\S)/i.exec(text)?.[1] === '`' ? '`' : '\\';
  const instructions: Instruction[] = [];
  let open = '';
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(?:#|$)/.test(line)) continue; // also between continued lines
    const bare = line.trimEnd();
    if (bare.endsWith(continues)) {
      open += bare.slice(0, -1);
      continue;
    }
    const [, keyword = '', rest = ''] = /^\s*(\S+)\s*(.*)$/.exec(open + bare) ?? [];
    instructions.push({ keyword: keyword.toUpperCase(), rest: rest.trim() });
    open = '';
  }
  if (open !== '') throw new DockerfileRefusedError('the Dockerfile ends in the middle of a continued line');
  return instructions;
}

function readArgs(rest: string): [string, string][] {
  return [...rest.matchAll(/([A-Za-z_]\w*)(?:=(?:"([^"]*)"|'([^']*)'|(\S*)))?/g)].map((match) => {
    const [, name = '', quoted, single, bare] = match;
    return [name, quoted ?? single ?? bare ?? ''];
  });
}

function readFrom(rest: string): { image: string; name: string | undefined } {
  const words = rest.split(/\s+/).filter((word) => !word.startsWith('--'));
  const [image = '', as, name, ...others] = words;
  const valid = image !== '' && others.length === 0 && (as === undefined || (as.toLowerCase() === 'as' && name));
  if (!valid)
    throw new DockerfileRefusedError(`FROM ${rest.slice(0, 200)} names no image: a build argument may be missing`);
  return { image: image.replace(/^"(.*)"$/, '$1'), name };
}

/** The flags between an instruction's keyword and its arguments. */
function flagsOf(rest: string): string[] {
  const words = rest.split(/\s+/);
  const end = words.findIndex((word) => !word.startsWith('--'));
  return end === -1 ? words : words.slice(0, end);
}

function requireHarmlessMounts(rest: string): void {
  if (!flagsOf(rest).some((flag) => REFUSED_MOUNT.test(flag))) return;
  throw new DockerfileRefusedError(
    'RUN --mount works for tmpfs and secret only: bind and cache mounts can reach the worker',
  );
}

function copySources(rest: string): string[] {
  const prefix = '--from=';
  return flagsOf(rest).flatMap((flag) => (flag.startsWith(prefix) ? [flag.slice(prefix.length)] : []));
}

function substitute(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})/g, (...match) => {
    const [, plain = '', braced = '', operator = '', word = ''] = match as (string | undefined)[];
    const value = values.get(plain || braced) ?? '';
    const isSet = value !== '';
    if (operator === '+') return isSet ? word : '';
    return isSet ? value : word; // the word of `:-`; without operator it is empty
  });
}

/** Only what a registry serves: buildah would also take `dir:`, `docker-archive:` and other ways to the worker's files. */
function qualify(image: string): string {
  try {
    return formatReference(parseReference(image));
  } catch (cause) {
    throw new DockerfileRefusedError(`${JSON.stringify(image.slice(0, 200))} in the Dockerfile is no image`, { cause });
  }
}
