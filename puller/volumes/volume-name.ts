// SPDX-License-Identifier: Apache-2.0

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;

/** The form of a volume's name, for messages. */
export const VOLUME_NAME_FORM = 'letters, digits, "_", "." and "-", a letter or digit first, at most 128';

/** Whether a text can name a volume. The rule is Docker's, with a limit; such a name is also the name of a folder. */
export function isVolumeName(text: string): boolean {
  return NAME.test(text);
}
