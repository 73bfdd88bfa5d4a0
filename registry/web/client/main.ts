// SPDX-License-Identifier: Apache-2.0
// What makes pages better where scripts run: searches that answer as you type (htmx), copying, verifying, the keyboard.
// Handlers listen on the document, so that they hold for what htmx puts in later.
import 'htmx.org';
import { copyFrom } from './copy.ts';
import { focusSearch } from './keys.ts';
import { switchTheme } from './theme-choice.ts';
import { verify } from './verify.ts';

document.addEventListener('click', (event) => {
  const target = event.target instanceof Element ? event.target.closest('button') : null;
  if (target === null) return;
  if (target.dataset.copy !== undefined) void copyFrom(target);
  else if (target.dataset.verify !== undefined) void verify(target);
  else if (target.dataset.themeSwitch !== undefined) switchTheme();
});

document.addEventListener('keydown', focusSearch);

// One menu at a time; Escape and a click elsewhere close it.
const closeMenus = (except: EventTarget | null) => {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>('details.menu[open]')) {
    if (!(except instanceof Node && menu.contains(except))) menu.open = false;
  }
};
document.addEventListener('click', (event) => closeMenus(event.target));
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  const menu = document.activeElement?.closest<HTMLDetailsElement>('details.menu[open]');
  closeMenus(null);
  menu?.querySelector('summary')?.focus();
});
