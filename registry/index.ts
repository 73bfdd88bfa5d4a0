// SPDX-License-Identifier: Apache-2.0
export { RegistryError, type RegistryErrorCode } from './errors.ts';
export type { ListenOptions } from './http/server.ts';
export type { Logger } from './logger.ts';
export { createRegistry, type Registry, type RegistryOptions } from './registry.ts';
