// SPDX-License-Identifier: Apache-2.0

/** A field that is left out where it has no value. */
export function given<K extends string, V>(name: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [key in K]: V });
}
