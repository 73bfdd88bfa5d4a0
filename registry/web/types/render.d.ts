// SPDX-License-Identifier: Apache-2.0
import type { VNode } from 'preact';

export function renderToString(vnode: VNode): string;
