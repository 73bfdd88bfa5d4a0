// SPDX-License-Identifier: Apache-2.0
import type { VNode } from 'preact';

export function html(strings: TemplateStringsArray, ...values: unknown[]): VNode;
