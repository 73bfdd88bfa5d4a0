/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent tells of the guest, as text on the standard output (docs/guest-contract.md, "The agent"). */
#ifndef UK_REPORTS_H
#define UK_REPORTS_H

#include "frames.h"

/* What kind of file `arg` is, and what it is when links are followed. */
int report_path(const struct frame *request);

/* Memory, processor time, network and how many processes there are, in the kernel's own words. */
int report_stats(const struct frame *request);

/* All processes but the kernel's own threads. */
int report_processes(const struct frame *request);

#endif
