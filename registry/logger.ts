// SPDX-License-Identifier: Apache-2.0

type Write = (fields: object, message: string) => void;

/** What the registry writes its log to; a pino logger is one. */
export interface Logger {
  debug: Write;
  info: Write;
  warn: Write;
  error: Write;
}

const nothing: Write = () => undefined;

export const SILENT: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
