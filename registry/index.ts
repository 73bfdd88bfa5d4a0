// SPDX-License-Identifier: Apache-2.0
import type { Registry, RegistryOptions } from './registry.ts';

export { type CollectOptions, collect } from './collect.ts';
export { loadConfig } from './config/load.ts';
export { printable, printConfig } from './config/print.ts';
export type { RegistryConfig } from './config/schema.ts';
export { RegistryError, type RegistryErrorCode } from './errors.ts';
export type { ListenOptions } from './http/listen.ts';
export type { Logger } from './logger.ts';
export type { Registry, RegistryOptions } from './registry.ts';
export { serve } from './serve.ts';
export type { CollectionReport, Progress as CollectionProgress } from './service/collector/index.ts';
export type { Serving } from './serving.ts';

/** Loaded when it is wanted: a primary process answers no requests, and is smaller without what answers them. */
export async function createRegistry(options: RegistryOptions): Promise<Registry> {
  return (await import('./registry.ts')).createRegistry(options);
}
