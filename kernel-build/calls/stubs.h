/* SPDX-License-Identifier: Apache-2.0 */
/* Room for the code that the sites jump to: part of the library's own text, so that it has unwinding tables. */
#ifndef STUBS_H
#define STUBS_H

#define STUB_SIZE 32
#define STUB_RETURN 24 /* offset of where the program goes on, for the unwinder */
#define STUBS_SIZE 32768

#ifndef __ASSEMBLER__
#include <stdint.h>
extern uint8_t calls_stubs[STUBS_SIZE];
#endif

#endif
