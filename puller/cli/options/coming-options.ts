// SPDX-License-Identifier: Apache-2.0
import { type Command, InvalidArgumentError, Option } from 'commander';

/** Options of `docker run` and `podman run` that hands type, and what they will come with. */
const COMING: readonly (readonly [flags: string, what: string])[] = [
  ['--network [name]', 'networks between instances'],
  ['--net [name]', 'networks between instances'],
  ['--ip [address]', 'networks between instances'],
];

/**
 * Options that do not exist yet, but will: they are refused by name, so that nobody looks for a typing error. They
 * stand in no help and in no completion.
 */
export function addComing(command: Command): void {
  for (const [flags, what] of COMING) {
    const option = new Option(flags)
      .hideHelp()
      .preset('')
      .argParser(() => {
        throw new InvalidArgumentError(`this version does not have it; it comes with ${what}`);
      });
    command.addOption(option);
  }
}

/** Whether an option is one of {@link addComing}. */
export function isComing(option: Option): boolean {
  return COMING.some(([flags]) => flags === option.flags);
}
