// SPDX-License-Identifier: Apache-2.0
import type { Recipe } from './recipe.ts';
import { LANGUAGES } from './recipes/languages.ts';
import { SERVERS } from './recipes/servers.ts';
import { SMALL } from './recipes/small.ts';

/**
 * The images that are run both by podman and by `uk run`. All are made from Debian's packages.
 *
 * There is none on Alpine's own packages: its package manager is no package of Debian 12, and the packages themselves come
 * from Alpine's servers only. The image `musl` has what makes Alpine's programs different, its libc.
 */
export const RECIPES: readonly Recipe[] = [...SMALL, ...LANGUAGES, ...SERVERS];
