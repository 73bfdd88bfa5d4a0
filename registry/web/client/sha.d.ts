// SPDX-License-Identifier: Apache-2.0
/** One algorithm of the package at a time, which has types for all of them together. */
declare module 'sha.js/sha256' {
  const Sha256: new () => { update(bytes: Uint8Array): unknown; digest(encoding: 'hex'): string };
  export default Sha256;
}
declare module 'sha.js/sha512' {
  const Sha512: new () => { update(bytes: Uint8Array): unknown; digest(encoding: 'hex'): string };
  export default Sha512;
}
