// SPDX-License-Identifier: Apache-2.0
// What cannot pass in ring 0, each with its reason. Some of it does not pass in ring 3 either in this emulator:
// docs/kernel-suites.md says which.
import type { Expectation } from './compare.ts';

export const EXPECTED: readonly Expectation[] = [
  {
    name: 'selftests/x86/fsgsbase_64',
    reason: "wants GS for itself: in ring 0 it is the kernel's, and arch_prctl(ARCH_SET_GS) is refused with EPERM",
  },
  {
    name: 'selftests/x86/ioperm_64',
    reason: 'wants a SIGSEGV for OUT without permission: in ring 0 IN and OUT are executed',
  },
  {
    name: 'selftests/x86/mov_ss_trap_64',
    reason: 'wants a SIGSEGV for CLI: in ring 0 it is executed',
  },
  {
    name: 'selftests/x86/sigreturn_64',
    reason:
      'returns from signals with other CS and SS, and wants a SIGSEGV where these are bad: in ring 0 no selector of a ' +
      'frame is loaded, so the program runs on, into its own INT3',
  },
  {
    name: 'selftests/x86/sysret_ss_attrs_64',
    reason: 'goes into 32-bit code by a far jump: its segment is one of ring 3, a protection fault from ring 0',
  },
];
