/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORT_H
#define REPORT_H

#include <stdint.h>

#include "sites.h"

struct report {
	const char *state;
	int error;
	struct site_count count;
};

/* UK_CALLS_REPORT=1 */
int is_report_wanted(char **environment);

/* One line of JSON on standard error */
void print_report(const struct report *report);

#endif
