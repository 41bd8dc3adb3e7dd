import type { Build } from '@kmm-hub/api-types';
import type { TrimmedKernelVersion } from './kernel-version.ts';

type BuildArg = NonNullable<Build['buildArgs']>[number];

/** The build argument that carries the toolkit image; a Dockerfile that names it asks for one. */
const TOOLKIT_ARG = 'DTK_AUTO';

/**
 * The build arguments that need no user (KMM v2.6 §3.5), sorted by name. The kernel is not normalised. The names are
 * the MCM's and its spokeNamespace, where upstream's hub gives the names of internal objects (W2).
 */
export function automaticBuildArgs(of: {
  kernel: TrimmedKernelVersion;
  moduleName: string;
  moduleNamespace: string;
  /** Reference of the toolkit image; only for a Dockerfile of which `usesToolkit` is true. */
  toolkitImage?: string;
}): BuildArg[] {
  return [
    ...(of.toolkitImage ? [{ name: TOOLKIT_ARG, value: of.toolkitImage }] : []),
    { name: 'KERNEL_FULL_VERSION', value: of.kernel },
    { name: 'KERNEL_VERSION', value: of.kernel },
    { name: 'MOD_NAME', value: of.moduleName },
    { name: 'MOD_NAMESPACE', value: of.moduleNamespace },
  ];
}

/** Overrides arguments of one name where they stand; appends the others sorted by name (KMM v2.6 §3.3, §3.5). */
export function mergeBuildArgs(base: readonly BuildArg[], overrides: readonly BuildArg[]): BuildArg[] {
  const values = new Map(overrides.map(({ name, value }) => [name, value]));
  const known = new Set(base.map(({ name }) => name));
  const merged = base.map(({ name, value }) => ({ name, value: values.get(name) ?? value }));
  const added = [...values].filter(([name]) => !known.has(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  return [...merged, ...added.map(([name, value]) => ({ name, value }))];
}

/** Whether the Dockerfile wants a toolkit image: its text holds DTK_AUTO, wherever that is (KMM v2.6 §3.5). */
export function usesToolkit(dockerfile: string): boolean {
  return dockerfile.includes(TOOLKIT_ARG);
}

/**
 * Names that ARG instructions declare, over all stages, each once, in order of the first. A build argument that is not
 * among them changes nothing. Follows Dockerfile's rules on comments, continued lines and the escape directive; a line
 * of a heredoc that looks like an ARG counts too, which costs no more than a needless difference in a recipe key.
 */
export function declaredBuildArgs(dockerfile: string): string[] {
  const declarations = logicalLines(dockerfile).flatMap((line) => /^\s*ARG\s+(.*)$/is.exec(line)?.[1] ?? []);
  const names = declarations.flatMap((declaration) =>
    withoutQuoted(declaration)
      .split(/\s+/)
      .map((word) => word.split('=', 1)[0] ?? ''),
  );
  return [...new Set(names.filter((name) => /^[A-Za-z_]\w*$/.test(name)))];
}

/** Instructions with their continued lines joined; comment lines and empty lines among them are dropped. */
function logicalLines(dockerfile: string): string[] {
  const lines = dockerfile.split(/\r?\n/);
  const directives = lines.slice(
    0,
    lines.findIndex((line) => !/^\s*#/.test(line)),
  );
  const lineEscape = directives.some((line) => /^\s*#\s*escape\s*=\s*`\s*$/i.test(line)) ? '`' : '\\';
  const joined: string[] = [];
  let continued = '';
  for (const line of lines.filter((text) => !/^\s*(#|$)/.test(text))) {
    const end = line.trimEnd();
    const isContinued = end.endsWith(lineEscape);
    continued += isContinued ? end.slice(0, -1) : end;
    if (isContinued) continue;
    joined.push(continued);
    continued = '';
  }
  return [...joined, continued];
}

/** Quoted values out of the way, as they may hold blanks. An open quote runs to the end, so that no scan is in vain. */
function withoutQuoted(text: string): string {
  return text.replace(/"[^"\\]*(?:\\.?[^"\\]*)*"?|'[^']*'?/gs, '');
}
