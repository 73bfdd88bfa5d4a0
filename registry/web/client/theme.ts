// SPDX-License-Identifier: Apache-2.0
// Runs before the page is drawn: the colours that somebody chose earlier. Without a choice the system's hold.
import { applyTheme, chosenTheme } from './theme-choice.ts';

document.documentElement.classList.add('scripted');
applyTheme(chosenTheme());
