// SPDX-License-Identifier: Apache-2.0
export * from './base-directories.ts';
export * from './errors.ts';
export * from './load.ts';
export * from './memory.ts';
export { CPU_LEVELS, DEVICES, formatProfile, HUGE_PAGES, type Profile, parseProfile } from './schema.ts';
