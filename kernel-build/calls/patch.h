/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the stubs and the jumps to them. */
#ifndef PATCH_H
#define PATCH_H

#include <stddef.h>
#include <stdint.h>

#include "sites.h"

/*
 * Makes the sites jump to stubs that jump to `*entry`. While a page can be written it cannot be executed. Nothing else
 * may run in this process, so signals are blocked meanwhile.
 *
 * Returns 0, or an error number: then nothing has changed.
 */
int patch_sites(uint8_t *text, size_t size, const struct site *sites, size_t count, const uintptr_t *entry);

#endif
