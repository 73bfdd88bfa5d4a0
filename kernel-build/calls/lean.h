/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEAN_H
#define LEAN_H

#include "functions.h"
#include "sites.h"

/*
 * True if the function that the site is in returns behind it without using what a C function may lose, and if whoever
 * calls the function counts on no more than the calling convention: compilers look into callees of the same source file
 * (-fipa-ra), so it is one of assembly language or one of the lonely.
 */
int may_be_lean(const struct site *site, const struct range *function, const struct lonely *lonely);

#endif
