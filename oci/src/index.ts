export { type AppendRequest, appendLayer } from './append-layer.ts';
export type { BlobSource } from './blobs.ts';
export { type Credentials, DockerConfigError, dockerConfigAuth, firstAuth, type RegistryAuth } from './credentials.ts';
export { digestOf, digestOfStream, isDigest } from './digest.ts';
export {
  DigestMismatchError,
  ImageNotFoundError,
  ImageRefusedError,
  InvalidReferenceError,
  RegistryBlockedError,
  RegistryDeniedError,
  RegistryRefusedError,
  RegistryUnreachableError,
} from './errors.ts';
export {
  type ExtractedFile,
  type ExtractedFolder,
  type ExtractedLink,
  extractToDirectory,
  extractToMemory,
} from './extract.ts';
export { linkTarget } from './image-path.ts';
export type { ExtractLimits, ExtractRequest } from './image-walk.ts';
export { type Layout, type PushRequest, pushLayout, readLayout } from './layout.ts';
export {
  type Descriptor,
  type ImageConfig,
  type ImageManifest,
  mediaTypes,
  type Platform,
  type Referrer,
} from './manifest.ts';
export type { ManifestToPut, PulledManifest, ResolvedImage } from './manifests.ts';
export { MirrorRulesError, type MirrorSetSpec, mirrorSetRules, readRegistriesConf } from './mirror-rules.ts';
export { type MirrorRule, type PullCandidate, planPull } from './mirrors.ts';
export type { ProxyOptions } from './proxy.ts';
export {
  formatReference,
  type ImageReference,
  isLoopbackHost,
  parseReference,
  type Repository,
  repositoryOf,
  withDigest,
} from './reference.ts';
export { createRegistryClient, type RegistryClient, type RegistryClientOptions } from './registry-client.ts';
export { type Layer, type LayerFile, layerOfFiles, layerOfTarFile } from './tar-layer.ts';
