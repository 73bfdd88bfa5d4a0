// SPDX-License-Identifier: Apache-2.0
export { buildImage } from './build-image.ts';
export { buildOnBase } from './build-on-base.ts';
export { buildKernelImage, type KernelLayer, kernelLayerOf } from './kernel/kernel-image.ts';
export { buildIndex } from './manifest/build-index.ts';
export * from './manifest/index.ts';
export { rebuildConfig } from './rebuild-config.ts';
export type {
  AddedPath,
  BuildEvent,
  BuildOptions,
  BuildRequest,
  BuiltImage,
  CallsFiles,
  ExecutionChanges,
  KernelFiles,
  Layer,
  LibcFiles,
  StackedRequest,
} from './request.ts';
export { rootfsLayer } from './rootfs/rootfs-layer.ts';
