// SPDX-License-Identifier: Apache-2.0
/**
 * What the server uses of Preact. Its own types bring those of browsers with them, and the server would then be checked
 * as if it had a `document`.
 */
export interface VNode {
  type: unknown;
  props: unknown;
}
