// SPDX-License-Identifier: Apache-2.0

/** A server that runs. */
export interface Serving {
  url: string;
  /** Processes that answer requests. */
  workers: number;
  /** Reads the certificate again. */
  reload(): void;
  /** Ends in order: `/readyz` says no for the configured time, requests under way end, the storage is let go. */
  close(): Promise<void>;
}
