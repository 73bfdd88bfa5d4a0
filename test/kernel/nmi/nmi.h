/* SPDX-License-Identifier: Apache-2.0 */
/* Non-maskable interrupts, which a program in ring 0 can send: the local APIC is mapped in the kernel. */
#ifndef NMI_H
#define NMI_H

#include <stdint.h>

/* "Send a non-maskable interrupt to the processor that the upper half names" (Intel SDM, 11.6.1). */
#define ICR_NMI 0x4400

/* The APIC's interrupt command register, the lower half; the upper is 16 bytes on. */
volatile uint32_t *command_register(void);

/* Sends one to a processor. */
void send_nmi(unsigned int cpu);

/* How many have come to a processor, as /proc/interrupts has it. */
long nmis(unsigned int cpu);

/* Binds the calling thread to a processor. */
void run_on(unsigned int cpu);

/* One round of everything that an NMI could disturb. Returns how many things were not as they should be. */
long work(void);

/* What every thread that works needs first: handlers, a stack for them. */
void prepare_work(void);

/* The groups of checks. */
void check_nmis_here(void);
void check_storms(unsigned int cpus);

#endif
