// SPDX-License-Identifier: Apache-2.0

const VERSION = /^v?[0-9]/;
/** Words that come before the version which they stand behind (semver.org, section 9). */
const BEFORE_RELEASE = /^(?:alpha|beta|a|b|rc|pre|preview|dev|snapshot|canary|nightly|ea|m)[0-9]*$/i;

/**
 * The order of tags for people: `latest`, then versions, the highest first, then all others by name. Numbers compare as
 * numbers, and a release comes before its candidates.
 */
export function compareTags(a: string, b: string): number {
  const [ranked, other] = [rank(a), rank(b)];
  if (ranked !== other) return ranked - other;
  if (ranked === 1) return -compareVersions(a, b) || (a < b ? -1 : 1);
  return a < b ? -1 : a > b ? 1 : 0;
}

function rank(tag: string): number {
  if (tag === 'latest') return 0;
  return VERSION.test(tag) ? 1 : 2;
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const order = compareParts(left[at], right[at]);
    if (order !== 0) return order;
  }
  return 0;
}

function partsOf(tag: string): string[] {
  return tag.replace(/^v/, '').split(/[.\-_+]/);
}

function compareParts(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return BEFORE_RELEASE.test(b ?? '') ? 1 : -1;
  if (b === undefined) return -compareParts(b, a);
  const [number, other] = [isNumber(a), isNumber(b)];
  if (number && other) return compareNumbers(a, b);
  if (number !== other) return number ? 1 : -1;
  return a.localeCompare(b, 'en', { numeric: true });
}

function isNumber(part: string): boolean {
  return /^[0-9]+$/.test(part);
}

/** Tags hold numbers of any length, dates with times among them. */
function compareNumbers(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}
