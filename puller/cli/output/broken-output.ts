// SPDX-License-Identifier: Apache-2.0

let watching = true;

/**
 * What is printed may have nowhere to go. A reader that has gone (`uk images | head -1`) is nobody's failure; a disk that
 * is full is, and is said once.
 */
export function watchOutput(): void {
  let failed = false;
  const onError = (error: NodeJS.ErrnoException): void => {
    if (!watching || failed || error.code === 'EPIPE') return;
    failed = true;
    process.stderr.write(`uk: cannot write the output: ${error.message}\n`);
  };
  process.stdout.on('error', onError);
  process.stderr.on('error', () => {});
  process.on('exit', () => {
    if (failed) process.exitCode = 1;
  });
}

/** From here on the outputs are the program's in the guest, and whoever copies them looks after them. */
export function leaveOutput(): void {
  watching = false;
}
