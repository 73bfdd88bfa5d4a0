// SPDX-License-Identifier: Apache-2.0
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>

void failure_set(struct failure *failure, const char *stage, int error, int status, const char *format, ...)
{
	va_list arguments;

	failure->stage = stage;
	failure->error = error;
	failure->status = status;
	va_start(arguments, format);
	vsnprintf(failure->message, sizeof(failure->message), format, arguments);
	va_end(arguments);
}
