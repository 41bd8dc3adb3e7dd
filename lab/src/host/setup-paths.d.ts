// Types of scripts/setup/paths.mjs. They are not beside it as paths.d.mts, since Biome would then rewrite imports of it.
declare module '*/scripts/setup/paths.mjs' {
  export const checkout: string;
  export const node24: string;
  export function cacheFolder(env: NodeJS.ProcessEnv): string;
  export function controlPlaneFolder(env: NodeJS.ProcessEnv): string;
  export function registryV3Folder(env: NodeJS.ProcessEnv): string;
  export function virtFirmwareFolder(env: NodeJS.ProcessEnv): string;
}
