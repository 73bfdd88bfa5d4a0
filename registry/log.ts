// SPDX-License-Identifier: Apache-2.0
import { destination, pino } from 'pino';
import type { RegistryConfig } from './config/schema.ts';
import type { Logger } from './logger.ts';

/** Lines of JSON on standard error, each with the process that wrote it; whole even when that process is killed. */
export function createLogger({ level }: RegistryConfig['log']): Logger {
  return pino({ level, base: { pid: process.pid } }, destination({ dest: 2, sync: true }));
}
