// SPDX-License-Identifier: Apache-2.0
export * from './annotations.ts';
export * from './descriptor.ts';
export * from './digest.ts';
export * from './errors.ts';
export * from './image-config.ts';
export * from './manifest.ts';
export * from './media-types.ts';
export * from './reference.ts';
export * from './select-manifest.ts';
export * from './verified-stream.ts';
