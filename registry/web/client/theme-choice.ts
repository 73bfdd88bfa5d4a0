// SPDX-License-Identifier: Apache-2.0

const KEY = 'uk-theme';

export type Theme = 'light' | 'dark';

/** What somebody chose; undefined where the system's choice holds. */
export function chosenTheme(): Theme | undefined {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === 'light' || stored === 'dark' ? stored : undefined;
  } catch {
    // A browser may forbid to store anything.
    return undefined;
  }
}

export function applyTheme(theme: Theme | undefined): void {
  if (theme === undefined) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** The other one from what is seen now. */
export function switchTheme(): Theme {
  const isDark = (chosenTheme() ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  const theme = isDark ? 'light' : 'dark';
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // It then holds for this page.
  }
  applyTheme(theme);
  return theme;
}
