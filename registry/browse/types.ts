// SPDX-License-Identifier: Apache-2.0
/*
 * What browsing shows, as plain data: the pages render it, `/api/v1` answers it as JSON, and the OpenAPI document is made
 * from the same schemas. All texts come from images and are as their authors wrote them: whoever renders them escapes
 * them. Times are milliseconds since 1970, sizes are bytes.
 */
export * from './types/compare.ts';
export * from './types/files.ts';
export * from './types/image.ts';
export * from './types/kernel.ts';
export * from './types/paging.ts';
export * from './types/referrers.ts';
export * from './types/repository.ts';
export * from './types/space.ts';
