// SPDX-License-Identifier: Apache-2.0
/** What we use of the package, which has no types of its own. */
declare module '@primer/octicons' {
  interface Icon {
    /** By height in pixels. */
    heights: Record<number, { width: number; path: string } | undefined>;
  }
  const icons: Record<string, Icon | undefined>;
  export default icons;
}
