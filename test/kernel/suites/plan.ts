// SPDX-License-Identifier: Apache-2.0
// What a guest is told to run: one line a test (guest/runner.c reads it).

export interface PlannedTest {
  /** `selftests/x86/sigreturn_64`: the suite comes first. */
  readonly name: string;
  /** After that it is killed and counts as failed. */
  readonly seconds: number;
  /** Where in the guest it runs. */
  readonly folder: string;
  /** For the guest's shell. */
  readonly command: string;
}

export function formatPlan(tests: readonly PlannedTest[]): string {
  return tests
    .map(({ name, seconds, folder, command }) => {
      const words = [name, String(seconds), folder, command];
      if (words.some((word) => /[\t\n]/.test(word))) throw new Error(`a plan's line cannot hold this: ${name}`);
      return `${words.join('\t')}\n`;
    })
    .join('');
}
