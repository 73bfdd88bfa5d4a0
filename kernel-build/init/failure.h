/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UK_FAILURE_H
#define UK_FAILURE_H

/* Why a program could not be started: what FAILURE and the EXIT after it say. */
struct failure {
	const char *stage;
	int error;  /* errno */
	int status; /* 127: not found. 126: cannot be executed. 125: it did not come to that. */
	char message[512];
};

__attribute__((format(printf, 5, 6))) void failure_set(struct failure *failure, const char *stage, int error,
						       int status, const char *format, ...);

#endif
